"""The gRPC interface."""

__all__: list[str] = []
