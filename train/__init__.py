"""The training programs and the packages behind them; see CONTRIBUTING.md."""

from train.support.startup import refuse_other_backend

__all__: list[str] = []

refuse_other_backend()
