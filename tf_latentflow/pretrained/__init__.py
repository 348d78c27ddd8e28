"""Trained models as folders: what one holds, where one is found. No TensorFlow."""

__all__: list[str] = []
