"""What `train.benchmark` times, and what it could take at best."""

__all__: list[str] = []
