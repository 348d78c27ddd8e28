"""Helpers for all packages: errors, files, digests, flags, units, figures. No TensorFlow."""

__all__: list[str] = []
