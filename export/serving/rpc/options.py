"""The options of gRPC that limit idle, slow, old and too many connections."""

from __future__ import annotations

from export.serving.limits import Limits

__all__ = ["rpc_options"]

_OTHER_FILES = 128  # That the process has open beside connections.
_FEWEST = 64  # Connections, however few files there may be.
_SECOND = 1000  # [ms]


def rpc_options(limits: Limits, files: int) -> list[tuple[str, int]]:
    """Returns the options of a server.

    When a connection is closed because it is old or idle, the client opens another one by itself.
    Running calls are not affected.

    Args:
      limits: What requests may take. A connection may be without a call for six times
        `idle_timeout`.
      files: Maximum number of open files, without those for REST.
    """
    idle = max(1, round(_SECOND * limits.idle_timeout))
    return [
        ("grpc.max_receive_message_length", limits.max_body_bytes),
        ("grpc.so_reuseport", 0),  # A port that is taken is an error.
        ("grpc.max_concurrent_streams", 2 * limits.max_requests),  # On a connection.
        ("grpc.max_allowed_incoming_connections", max(files - _OTHER_FILES, _FEWEST)),
        ("grpc.server_handshake_timeout_ms", idle),
        ("grpc.keepalive_time_ms", 30 * _SECOND),
        ("grpc.keepalive_timeout_ms", idle),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.max_connection_idle_ms", 6 * idle),
        ("grpc.max_connection_age_ms", 600 * _SECOND),
        ("grpc.max_connection_age_grace_ms", 60 * _SECOND),
    ]
