"""What runs a bundle, with JAX and NumPy alone."""

__all__: list[str] = []
