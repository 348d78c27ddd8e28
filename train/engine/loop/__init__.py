"""The training loop, how it is interrupted, and the interfaces of its backend and its record."""

__all__: list[str] = []
