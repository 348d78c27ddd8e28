"""Metrics of a server for Prometheus: its requests, and those at work."""

from __future__ import annotations

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from export.serving.workers import Workers

__all__ = ["METRICS_TYPE", "Metrics"]

METRICS_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """Counts the requests of a server.

    Args:
      workers: The threads that process them.
    """

    def __init__(self, workers: Workers) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "latentflow_requests",
            "Requests that were answered or refused",
            ["protocol", "signature", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "latentflow_request_seconds",
            "Time from the head of a request to its answer",
            ["protocol", "signature"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        running = Gauge(
            "latentflow_requests_in_flight",
            "Requests at work, those among them whose clients have left",
            registry=self._registry,
        )
        running.set_function(lambda: workers.running)
        queued = Gauge(
            "latentflow_requests_queued", "Requests that wait for a thread", registry=self._registry
        )
        queued.set_function(lambda: workers.queued)
        ProcessCollector(registry=self._registry)  # Memory, open files, CPU time.

    def note(self, protocol: str, signature: str, status: str, seconds: float) -> None:
        """Counts a request.

        Args:
          protocol: `REST` or `gRPC`.
          signature: A signature of the model, or empty. Any other would add a counter.
          status: Status of HTTP or gRPC.
          seconds: Duration of the request.
        """
        self._requests.labels(protocol, signature, status).inc()
        self._seconds.labels(protocol, signature).observe(seconds)

    def text(self) -> bytes:
        """Returns all metrics in the format of Prometheus."""
        return generate_latest(self._registry)
