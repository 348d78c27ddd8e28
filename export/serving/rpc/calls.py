"""Calls over gRPC: their time limits, refusals and records."""

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

from export.serving.connections import Connections
from export.serving.recorder import REQUEST_ID, Recorded, Recorder, request_id
from export.serving.servable import DEFAULT_SIGNATURE
from export.serving.status import GRPC_STATUS, invalid, message_of

__all__ = ["Calls"]

_log = logging.getLogger(__name__)

# Answers a request before a deadline on the clock of `time.monotonic`.
_Answer = Callable[[Message, float], Awaitable[Message]]


class Calls:
    """Makes methods of a server from functions that answer requests.

    Args:
      recorder: Records the calls.
      signatures: Names of the model's signatures.
      timeout: Time limit of a call, including the arrival of its request; a client may set a
        shorter one [s].
      under_way: Limits the number of calls, in total and per client.
    """

    def __init__(
        self,
        recorder: Recorder,
        signatures: Collection[str],
        timeout: float,
        under_way: Connections,
    ) -> None:
        self._under_way = under_way
        self._recorder = recorder
        self._signatures = signatures
        self._timeout = timeout

    def handler(self, name: str, kind: type[Message], answer: _Answer) -> grpc.RpcMethodHandler:
        """Returns a method.

        It takes a stream of requests and answers the first. The time limit therefore also applies
        while no request has arrived.

        Args:
          name: Name of the method.
          kind: Class of its requests.
          answer: Returns the answer, or raises `tf.errors.OpError`.
        """

        async def handle(
            requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext
        ) -> Message:
            given = dict(context.invocation_metadata() or ()).get(REQUEST_ID)
            call = _Call(_address(context.peer()), self._seconds(context))
            recorded = Recorded("gRPC", name, call.client_address, request_id(given))
            recorded.status = grpc.StatusCode.CANCELLED.name  # Until there is another.
            context.set_trailing_metadata([(REQUEST_ID, recorded.id)])
            with self._recorder.record(recorded):
                try:
                    if not self._under_way.add(call):
                        raise tf.errors.ResourceExhaustedError(
                            None, None, "Too many calls are under way already: try again later"
                        )
                    request = await call.first(requests, kind)
                    recorded.signature = self._signature(request)
                    response = await answer(request, call.deadline)
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
                finally:
                    self._under_way.remove(call)
                recorded.status = status.name
                await context.abort(status, details)

        return grpc.stream_unary_rpc_method_handler(
            handle, response_serializer=lambda message: message.SerializeToString()
        )

    def _seconds(self, context: grpc.aio.ServicerContext) -> float:
        """Returns the time limit of a call."""
        remaining = context.time_remaining()
        return min(self._timeout, math.inf if remaining is None else remaining)

    def _signature(self, request: Message) -> str:
        """Returns the requested signature if the model has it, or an empty string."""
        if not isinstance(request, predict_pb2.PredictRequest):
            return ""
        name = request.model_spec.signature_name or DEFAULT_SIGNATURE
        return name if name in self._signatures else ""


class _Call:
    """A call that can be dropped in favour of others until its request has arrived.

    Args:
      client_address: Address of the client.
      seconds: Time limit.
    """

    def __init__(self, client_address: str, seconds: float) -> None:
        self.client_address = client_address
        self.since = time.monotonic()
        self.deadline = self.since + seconds
        self.is_at_work = False
        self._arrival = asyncio.timeout(seconds)

    def drop(self) -> None:
        self._arrival.reschedule(asyncio.get_running_loop().time())

    async def first(self, requests: AsyncIterator[bytes], kind: type[Message]) -> Message:
        """Returns what it is asked with.

        Raises:
          tf.errors.OpError: If it does not come in time, or is something else.
        """
        try:
            async with self._arrival:
                data = await anext(requests)
        except TimeoutError:
            raise tf.errors.DeadlineExceededError(
                None, None, "The request did not arrive in time"
            ) from None
        except StopAsyncIteration:
            raise invalid("The call has no request, or one that is too large") from None
        self.is_at_work = True
        try:
            return kind.FromString(data)
        except DecodeError as error:
            raise invalid(f"The request is no {kind.__name__}: {error}") from None


def _address(peer: str) -> str:
    """Returns the address in gRPC's name for a client.

    >>> _address("ipv6:%5B::1%5D:4711"), _address("ipv4:127.0.0.1:4711")
    ('::1', '127.0.0.1')
    """
    return unquote(peer).partition(":")[2].rpartition(":")[0].strip("[]")
