"""Datasets of polyphonic music, and MIDI files in and out."""

__all__: list[str] = []
