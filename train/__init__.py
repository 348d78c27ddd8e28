"""The training programs and the packages behind them; see CONTRIBUTING.md."""

from train.support.startup import refuse_other_backend, shorten_early_interrupts

__all__: list[str] = []

shorten_early_interrupts()
refuse_other_backend()
