"""The REST interface: HTTP connections, JSON, routes."""

__all__: list[str] = []
