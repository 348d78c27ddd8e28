"""The flow prior, and what conditions it along time."""

__all__: list[str] = []
