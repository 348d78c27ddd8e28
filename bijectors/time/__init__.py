"""Bijectors along time, and the protocol of their conditioners."""

__all__: list[str] = []
