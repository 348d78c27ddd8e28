"""A run and its folder: trained, tested, read back."""

__all__: list[str] = []
