"""The training loop, and what it asks of a device, a folder and a record."""

__all__: list[str] = []
