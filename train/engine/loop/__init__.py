"""The training loop, and the interfaces of its backend and its record."""

__all__: list[str] = []
