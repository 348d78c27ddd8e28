"""Bijectors along the hidden dimension of a step, and their networks."""

__all__: list[str] = []
