"""Bijectors along the hidden dimension of a step, and the networks that they ask."""

__all__: list[str] = []
