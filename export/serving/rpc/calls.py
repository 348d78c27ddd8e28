"""A call over gRPC: its time, its refusal, its record."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from urllib.parse import unquote

import grpc
import tensorflow as tf
from google.protobuf.message import DecodeError, Message
from tensorflow_serving.apis import predict_pb2

from export.serving.recorder import REQUEST_ID, Recorded, Recorder, request_id
from export.serving.servable import DEFAULT_SIGNATURE
from export.serving.status import GRPC_STATUS, invalid, message_of

__all__ = ["Calls"]

_log = logging.getLogger(__name__)

# From a request and the time until which it is to be answered, on the clock of `time.monotonic`.
_Answer = Callable[[Message, float], Awaitable[Message]]


class Calls:
    """Makes methods of a server out of functions that answer.

    Args:
      recorder: Where calls are recorded.
      signatures: Names that the model has.
      timeout: For a call, its request's arrival included; a client may ask for less [s].
    """

    def __init__(self, recorder: Recorder, signatures: Collection[str], timeout: float) -> None:
        self._recorder = recorder
        self._signatures = signatures
        self._timeout = timeout

    def handler(self, name: str, kind: type[Message], answer: _Answer) -> grpc.RpcMethodHandler:
        """Returns a method.

        It is one of a stream of requests, of which the first is taken: so its time is counted also
        while that does not come.

        Args:
          name: Of the method.
          kind: What it is asked with.
          answer: Answers, or raises `tf.errors.OpError`.
        """

        async def handle(
            requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext
        ) -> Message:
            given = dict(context.invocation_metadata() or ()).get(REQUEST_ID)
            recorded = Recorded("gRPC", name, _address(context.peer()), request_id(given))
            recorded.status = grpc.StatusCode.CANCELLED.name  # Until there is another.
            context.set_trailing_metadata([(REQUEST_ID, recorded.id)])
            with self._recorder.record(recorded):
                try:
                    deadline = time.monotonic() + self._seconds(context)
                    request = await _first(requests, kind, deadline)
                    recorded.signature = self._signature(request)
                    response = await answer(request, deadline)
                except tf.errors.OpError as error:
                    status = GRPC_STATUS.get(error.error_code, grpc.StatusCode.UNKNOWN)
                    details = message_of(error)
                except Exception:
                    _log.exception("a call of %s failed", name)
                    status = grpc.StatusCode.INTERNAL
                    details = "Internal error; the server's log has more"
                else:
                    recorded.status = grpc.StatusCode.OK.name
                    return response
                recorded.status = status.name
                await context.abort(status, details)

        return grpc.stream_unary_rpc_method_handler(
            handle, response_serializer=lambda message: message.SerializeToString()
        )

    def _seconds(self, context: grpc.aio.ServicerContext) -> float:
        """Returns how long a call may last."""
        remaining = context.time_remaining()
        return min(self._timeout, math.inf if remaining is None else remaining)

    def _signature(self, request: Message) -> str:
        """Returns which of the model's signatures is asked, or an empty string."""
        if not isinstance(request, predict_pb2.PredictRequest):
            return ""
        name = request.model_spec.signature_name or DEFAULT_SIGNATURE
        return name if name in self._signatures else ""


async def _first(requests: AsyncIterator[bytes], kind: type[Message], deadline: float) -> Message:
    """Returns what a call is asked with.

    Raises:
      tf.errors.OpError: If it does not come in time, or is something else.
    """
    try:
        async with asyncio.timeout(deadline - time.monotonic()):
            data = await anext(requests)
    except TimeoutError:
        raise tf.errors.DeadlineExceededError(
            None, None, "The request did not arrive in time"
        ) from None
    except StopAsyncIteration:
        raise invalid("The call has no request, or one that is too large") from None
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise invalid(f"The request is no {kind.__name__}: {error}") from None


def _address(peer: str) -> str:
    """Returns the address in gRPC's name of a client.

    >>> _address("ipv6:%5B::1%5D:4711"), _address("ipv4:127.0.0.1:4711")
    ('::1', '127.0.0.1')
    """
    return unquote(peer).partition(":")[2].rpartition(":")[0].strip("[]")
