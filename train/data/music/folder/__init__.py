"""A user's own folder of MIDI files."""

__all__: list[str] = []
