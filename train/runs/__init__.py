"""Runs and their folders: training, testing, reading back."""

__all__: list[str] = []
