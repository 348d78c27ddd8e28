"""Datasets: text and music in three splits; needs no TensorFlow."""

__all__: list[str] = []
