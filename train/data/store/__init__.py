"""Data that is larger than memory, on disk."""

__all__: list[str] = []
