"""Sequences made from other sequences: continued, filled in, varied, interpolated."""

__all__: list[str] = []
