"""A training as a bundle of files, which a machine without TensorFlow runs."""

__all__: list[str] = []
