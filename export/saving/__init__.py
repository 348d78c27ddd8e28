"""Saves a model as a SavedModel for TF Serving: signatures, strings, checks and warm-up."""

__all__: list[str] = []
