"""The runner of a bundle, which needs only JAX and NumPy."""

__all__: list[str] = []
