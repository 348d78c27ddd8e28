"""The programs, and the rooms behind them: see CONTRIBUTING.md."""

__all__: list[str] = []
