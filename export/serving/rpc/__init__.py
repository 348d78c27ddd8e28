"""The gRPC interface: its services, a call, its connections."""

__all__: list[str] = []
