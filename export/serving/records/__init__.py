"""What is kept of requests: log lines and metrics."""

__all__: list[str] = []
