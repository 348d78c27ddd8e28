"""Datasets of polyphonic music, MIDI in and out, and what the programs show of them."""

__all__: list[str] = []
