"""A training as a bundle of files that a machine without TensorFlow can run."""

__all__: list[str] = []
