"""A word of a sentence: what comes next along it, the prior's densities there, and pictures."""

__all__: list[str] = []
