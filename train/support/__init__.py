"""What every room may use: errors, files, digests, flags, units, figures. No TensorFlow."""

__all__: list[str] = []
