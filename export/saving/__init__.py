"""A model as a SavedModel for TF Serving: signatures, strings, checks, warm-up."""

__all__: list[str] = []
