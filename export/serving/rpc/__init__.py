"""The gRPC interface: its services, a call."""

__all__: list[str] = []
