"""Connections: how many, and how slow they may be."""

__all__: list[str] = []
