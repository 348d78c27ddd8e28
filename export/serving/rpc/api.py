"""The gRPC interface: PredictionService, ModelService and grpc.health; its limits."""

from __future__ import annotations

import time

import grpc
from google.protobuf.message import Message
from grpc_health.v1 import health, health_pb2_grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    predict_pb2,
)

from export.serving.connections import Connections
from export.serving.limits import Limits
from export.serving.protos import METADATA_FIELD, array_of, metadata_of, predicted, status_of
from export.serving.recorder import Recorder
from export.serving.rpc.calls import Calls
from export.serving.servable import Servable
from export.serving.status import invalid
from export.serving.workers import Workers

__all__ = ["RpcApi", "rpc_options"]

_OTHER_FILES = 128  # That the process has open beside connections.
_FEWEST = 64  # Connections, however few files there may be.
_SECOND = 1000  # [ms]


class RpcApi:
    """Predict, GetModelMetadata and GetModelStatus; the other methods are UNIMPLEMENTED.

    Args:
      servable: The model.
      workers: Run the requests.
      recorder: Records the calls.
      limits: What requests may take.
      under_way: Limits the number of calls, in total and per client.
    """

    def __init__(
        self,
        servable: Servable,
        workers: Workers,
        recorder: Recorder,
        limits: Limits,
        under_way: Connections,
    ) -> None:
        self._servable = servable
        self._workers = workers
        self._calls = Calls(recorder, frozenset(servable.signatures), limits.timeout, under_way)
        self._limits = limits

    def add_to(self, server: grpc.aio.Server) -> health.aio.HealthServicer:
        """Adds the services to a server; returns the health service, which reports SERVING."""
        services = {
            "PredictionService": {
                "Predict": (predict_pb2.PredictRequest, self._predict),
                "GetModelMetadata": (
                    get_model_metadata_pb2.GetModelMetadataRequest,
                    self._metadata,
                ),
            },
            "ModelService": {
                "GetModelStatus": (get_model_status_pb2.GetModelStatusRequest, self._status)
            },
        }
        for service, methods in services.items():
            handlers = {
                name: self._calls.handler(name, *method) for name, method in methods.items()
            }
            server.add_generic_rpc_handlers(
                [grpc.method_handlers_generic_handler(f"tensorflow.serving.{service}", handlers)]
            )
        state = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(state, server)
        return state

    async def _predict(
        self, request: predict_pb2.PredictRequest, deadline: float
    ) -> predict_pb2.PredictResponse:
        def work() -> predict_pb2.PredictResponse:
            spec = _spec_of(request)
            self._servable.check(*_which(spec))
            inputs = {
                name: array_of(name, tensor, self._limits.max_body_bytes, self._limits.max_rows)
                for name, tensor in request.inputs.items()
            }
            outputs = self._servable.predict(
                spec.signature_name, inputs, deadline - time.monotonic(), request.output_filter
            )
            return predicted(self._servable, spec.signature_name, outputs)

        return await self._workers.run(work, deadline - time.monotonic())

    async def _metadata(
        self, request: get_model_metadata_pb2.GetModelMetadataRequest, deadline: float
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        spec = _spec_of(request)
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        if set(request.metadata_field) != {METADATA_FIELD}:
            raise invalid(f"Metadata field is not supported: {list(request.metadata_field)}")
        self._servable.check(*_which(spec))
        return metadata_of(self._servable)

    async def _status(
        self, request: get_model_status_pb2.GetModelStatusRequest, deadline: float
    ) -> get_model_status_pb2.GetModelStatusResponse:
        return status_of(self._servable, *_which(_spec_of(request)))


def rpc_options(limits: Limits, files: int) -> list[tuple[str, int]]:
    """Returns the options of a server that limit idle, slow, old and too many connections.

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


def _spec_of(request: Message) -> model_pb2.ModelSpec:
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    return request.model_spec


def _which(spec: model_pb2.ModelSpec) -> tuple[str, int | None, str]:
    """Returns name, version and label; at most one of the last two is set."""
    version = spec.version.value if spec.HasField("version") else None
    return spec.name, version, spec.version_label
