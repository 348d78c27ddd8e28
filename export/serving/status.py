"""Errors of requests, and their HTTP and gRPC statuses.

Every error of a request is a `tf.errors.OpError`, like those of a session. TensorFlow and gRPC have
the same codes. The HTTP statuses are those of TF Serving (`model_servers/http_server.cc`).
"""

from __future__ import annotations

import grpc
import tensorflow as tf

__all__ = ["GRPC_STATUS", "HTTP_STATUS", "check_rows", "invalid", "message_of"]

_LONGEST = 1024  # As in TF Serving: longer messages do not fit into gRPC's trailing metadata.

GRPC_STATUS = {status.value[0]: status for status in grpc.StatusCode}

HTTP_STATUS = {
    tf.errors.CANCELLED: 499,
    tf.errors.UNKNOWN: 500,
    tf.errors.INVALID_ARGUMENT: 400,
    tf.errors.DEADLINE_EXCEEDED: 504,
    tf.errors.NOT_FOUND: 404,
    tf.errors.ALREADY_EXISTS: 409,
    tf.errors.PERMISSION_DENIED: 403,
    tf.errors.UNAUTHENTICATED: 401,
    tf.errors.RESOURCE_EXHAUSTED: 429,
    tf.errors.FAILED_PRECONDITION: 400,
    tf.errors.ABORTED: 409,
    tf.errors.OUT_OF_RANGE: 400,
    tf.errors.UNIMPLEMENTED: 501,
    tf.errors.INTERNAL: 500,
    tf.errors.UNAVAILABLE: 503,
    tf.errors.DATA_LOSS: 500,
}


def invalid(message: str) -> tf.errors.InvalidArgumentError:
    """Returns the error for an invalid request: INVALID_ARGUMENT, 400."""
    return tf.errors.InvalidArgumentError(None, None, message)


def check_rows(name: str, rows: int, most: int) -> None:
    """Checks the number of rows of an input, before an array is made of them.

    Raises:
      tf.errors.InvalidArgumentError: There are more than `most` rows.
    """
    if rows > most:
        raise invalid(f"input {name} has {rows} rows; this server takes at most {most}")


def message_of(error: tf.errors.OpError) -> str:
    """Returns the message for the client, as text that UTF-8 can encode."""
    # Python appends the stack trace of the graph's construction, which clients do not need.
    message = error.message.partition("\n\nOriginal stack trace")[0]
    return message[:_LONGEST].encode("utf-8", "replace").decode("utf-8")
