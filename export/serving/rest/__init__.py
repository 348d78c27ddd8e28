"""The REST interface: TF Serving's routes and JSON."""

__all__: list[str] = []
