"""Datasets of text."""

__all__: list[str] = []
