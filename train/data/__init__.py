"""Datasets: text and music as three splits of sequences. No TensorFlow."""

__all__: list[str] = []
