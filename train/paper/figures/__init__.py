"""The figures of the paper, a module with a `draw` for each, and their parts."""

__all__: list[str] = []
