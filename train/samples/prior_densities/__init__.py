"""The prior's densities along a passage of a text, what comes next in it, and pictures of both."""

__all__: list[str] = []
