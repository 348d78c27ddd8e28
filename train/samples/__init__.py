"""Samples and reconstructions of text and of music, and how they are shown."""

__all__: list[str] = []
