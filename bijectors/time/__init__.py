"""Bijectors along time, and the protocol of what conditions them."""

__all__: list[str] = []
