"""The gRPC interface: PredictionService, ModelService and grpc.health."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

import grpc
import tensorflow as tf
from google.protobuf.message import Message
from grpc_health.v1 import health, health_pb2_grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from export.serving.gate import Gate
from export.serving.protos import array_of, metadata_of, predicted, status_of
from export.serving.servable import Servable
from export.serving.status import GRPC_STATUS, invalid, message_of

__all__ = ["ModelService", "PredictionService", "add_services"]

Answer = TypeVar("Answer", bound=Message)

_SIGNATURES = "signature_def"

_log = logging.getLogger(__name__)


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata; the other methods are UNIMPLEMENTED.

    Args:
      servable: The model.
      gate: Bound on the requests at work.
      max_bytes: Bound on a tensor of a request.
    """

    def __init__(self, servable: Servable, gate: Gate, max_bytes: int) -> None:
        self._servable = servable
        self._gate = gate
        self._max_bytes = max_bytes

    def Predict(
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        def answer() -> predict_pb2.PredictResponse:
            with self._gate.admit():
                spec = _spec_of(request)
                self._servable.check(*_which(spec))
                outputs = self._servable.predict(
                    spec.signature_name,
                    {
                        name: array_of(name, tensor, self._max_bytes)
                        for name, tensor in request.inputs.items()
                    },
                    context.time_remaining(),
                    request.output_filter,
                )
                return predicted(self._servable, spec.signature_name, outputs)

        return _answered(context, answer)

    def GetModelMetadata(
        self, request: get_model_metadata_pb2.GetModelMetadataRequest, context: grpc.ServicerContext
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        def answer() -> get_model_metadata_pb2.GetModelMetadataResponse:
            spec = _spec_of(request)
            if not request.metadata_field:
                raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
            if set(request.metadata_field) != {_SIGNATURES}:
                raise invalid(f"Metadata field is not supported: {list(request.metadata_field)}")
            self._servable.check(*_which(spec))
            return metadata_of(self._servable)

        return _answered(context, answer)


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus; the other method is UNIMPLEMENTED.

    Args:
      servable: The model.
    """

    def __init__(self, servable: Servable) -> None:
        self._servable = servable

    def GetModelStatus(
        self, request: get_model_status_pb2.GetModelStatusRequest, context: grpc.ServicerContext
    ) -> get_model_status_pb2.GetModelStatusResponse:
        return _answered(context, lambda: status_of(self._servable, *_which(_spec_of(request))))


def add_services(
    server: grpc.Server, servable: Servable, gate: Gate, max_bytes: int
) -> health.HealthServicer:
    """Adds the three services to a server; the health that it returns says SERVING."""
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(servable, gate, max_bytes), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(servable), server)
    state = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(state, server)
    return state


def _spec_of(request: Message) -> model_pb2.ModelSpec:
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    return request.model_spec


def _which(spec: model_pb2.ModelSpec) -> tuple[str, int | None, str]:
    """Returns name, version and label; at most one of the last two is set."""
    version = spec.version.value if spec.HasField("version") else None
    return spec.name, version, spec.version_label


def _answered(context: grpc.ServicerContext, answer: Callable[[], Answer]) -> Answer:
    """Returns an answer, or ends the call with the status of what was raised."""
    try:
        return answer()
    except tf.errors.OpError as error:
        status = GRPC_STATUS.get(error.error_code, grpc.StatusCode.UNKNOWN)
        context.abort(status, message_of(error))
    except Exception:
        _log.exception("a call failed")
        context.abort(grpc.StatusCode.INTERNAL, "Internal error; the server's log has more")
