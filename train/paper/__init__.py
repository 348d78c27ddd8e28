"""The paper's tables and figures, and the runs behind them."""

__all__: list[str] = []
