"""The training programs and the packages behind them; see CONTRIBUTING.md."""

from train.support.startup import end_at_ctrl_c, refuse_other_backend

__all__: list[str] = []

end_at_ctrl_c()
refuse_other_backend()
