"""Datasets of text, and what the programs show of it."""

__all__: list[str] = []
