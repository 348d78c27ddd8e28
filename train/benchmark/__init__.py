"""The program `python -m train.benchmark`: what it times, and what that could take at best."""

__all__: list[str] = []
