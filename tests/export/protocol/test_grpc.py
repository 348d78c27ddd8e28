"""What gRPC answers and refuses; that it agrees with REST."""

from __future__ import annotations

import grpc
import numpy as np
import pytest
import tensorflow as tf
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
)
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from tests.served import PATIENCE, Http, predict_request
from tests.served_model import FOREVER, ROW_ANSWER, row


def _generate_request(http: Http, signature: str = "generate") -> predict_pb2.PredictRequest:
    return predict_request(
        http.model,
        signature,
        length=np.int32([3]),
        seed=np.int64([7]),
        temperature=np.float32([0.5]),
    )


@pytest.mark.parametrize("signature", ["", "generate", "serving_default"])
def test_predict_over_grpc(http: Http, stub: PredictionServiceStub, signature: str) -> None:
    response = stub.Predict(_generate_request(http, signature), timeout=PATIENCE)
    assert response.model_spec.version.value == 1
    assert response.model_spec.signature_name == (signature or "serving_default")
    assert set(response.outputs) == {"text", "num_steps"}
    assert list(response.outputs["num_steps"].int_val) == [3]
    assert list(response.outputs["text"].string_val) == [ROW_ANSWER["text"].encode()]
    assert tf.make_ndarray(response.outputs["num_steps"]).dtype == np.int32


def test_a_call_without_a_deadline(http: Http, stub: PredictionServiceStub) -> None:
    response = stub.Predict(_generate_request(http))
    assert list(response.outputs["num_steps"].int_val) == [3]


def test_both_protocols_give_the_same_floats(http: Http, stub: PredictionServiceStub) -> None:
    x = np.float32(np.random.default_rng(0).normal(size=100) * 10.0 ** np.arange(-20, 30, 0.5))
    over_grpc = stub.Predict(predict_request(http.model, "half", x=x), timeout=PATIENCE).outputs[
        "y"
    ]
    over_rest = http.predict({"signature_name": "half", "inputs": [float(value) for value in x]})
    np.testing.assert_array_equal(tf.make_ndarray(over_grpc), x / 2)
    np.testing.assert_array_equal(np.float32(over_rest.json()["outputs"]), x / 2)


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_types_over_grpc(http: Http, stub: PredictionServiceStub, rows: int) -> None:
    point = np.arange(2.0 * rows).reshape(rows, 2)
    request = predict_request(
        http.model,
        "types",
        flag=np.zeros(rows, bool),
        point=point,
        small=np.full(rows, 200, np.uint8),
    )
    outputs = {
        name: tf.make_ndarray(proto)
        for name, proto in stub.Predict(request, timeout=PATIENCE).outputs.items()
    }
    np.testing.assert_array_equal(outputs["sum"], point.sum(axis=1))
    np.testing.assert_array_equal(outputs["not_flag"], np.ones(rows, bool))
    np.testing.assert_array_equal(outputs["small"], np.full(rows, 200, np.uint8))
    assert outputs["small"].dtype == np.uint8


def test_output_filter(http: Http, stub: PredictionServiceStub) -> None:
    request = _generate_request(http)
    request.output_filter.append("num_steps")
    assert set(stub.Predict(request, timeout=PATIENCE).outputs) == {"num_steps"}


def _spoilt(request: predict_pb2.PredictRequest, what: str) -> predict_pb2.PredictRequest:
    match what:
        case "no model":
            request.ClearField("model_spec")
        case "another model":
            request.model_spec.name = "nobody"
        case "another version":
            request.model_spec.version.value = 2
        case "version 0":
            request.model_spec.version.SetInParent()
        case "another signature":
            request.model_spec.signature_name = "nothing"
        case "missing input":
            del request.inputs["seed"]
        case "another input":
            request.inputs["more"].CopyFrom(request.inputs["seed"])
        case "wrong type":
            request.inputs["seed"].CopyFrom(tf.make_tensor_proto([1.5]))
        case "wrong output":
            request.output_filter.append("nothing")
        case "output twice":
            request.output_filter.extend(["text", "text"])
        case _:
            raise ValueError(what)
    return request


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("no model", grpc.StatusCode.INVALID_ARGUMENT),
        ("another model", grpc.StatusCode.NOT_FOUND),
        ("another version", grpc.StatusCode.NOT_FOUND),
        ("version 0", grpc.StatusCode.NOT_FOUND),
        ("another signature", grpc.StatusCode.FAILED_PRECONDITION),
        ("missing input", grpc.StatusCode.INVALID_ARGUMENT),
        ("another input", grpc.StatusCode.INVALID_ARGUMENT),
        ("wrong type", grpc.StatusCode.INVALID_ARGUMENT),
        ("wrong output", grpc.StatusCode.INVALID_ARGUMENT),
        ("output twice", grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
def test_grpc_refuses(
    http: Http,
    stub: PredictionServiceStub,
    what: str,
    code: grpc.StatusCode,
) -> None:
    with pytest.raises(grpc.RpcError) as error:
        stub.Predict(_spoilt(_generate_request(http), what), timeout=PATIENCE)
    assert error.value.code() == code
    assert error.value.details()


def test_metadata_over_grpc(http: Http, stub: PredictionServiceStub) -> None:
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = http.model
    response = stub.GetModelMetadata(request, timeout=PATIENCE)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    assert signatures.signature_def["look_up"].inputs["word"].dtype == tf.string.as_datatype_enum
    assert response.model_spec.version.value == 1
    for fields, name, code in (
        (["nothing"], http.model, grpc.StatusCode.INVALID_ARGUMENT),
        (["signature_def", "nothing"], http.model, grpc.StatusCode.INVALID_ARGUMENT),
        (["signature_def"], "nobody", grpc.StatusCode.NOT_FOUND),
    ):
        request.metadata_field[:] = fields
        request.model_spec.name = name
        with pytest.raises(grpc.RpcError) as error:
            stub.GetModelMetadata(request, timeout=PATIENCE)
        assert error.value.code() == code


def test_status_over_grpc(http: Http, channel: grpc.Channel) -> None:
    models = model_service_pb2_grpc.ModelServiceStub(channel)
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = http.model
    (version,) = models.GetModelStatus(request, timeout=PATIENCE).model_version_status
    assert version.version == 1
    assert version.state == get_model_status_pb2.ModelVersionStatus.AVAILABLE
    assert version.status.error_code == 0
    request.model_spec.version.value = 2
    with pytest.raises(grpc.RpcError) as error:
        models.GetModelStatus(request, timeout=PATIENCE)
    assert error.value.code() == grpc.StatusCode.NOT_FOUND


def test_health(address, channel: grpc.Channel) -> None:
    if not address.is_local:
        pytest.skip("TF Serving has it only with --enable_grpc_healthcheck_service")
    health = health_pb2_grpc.HealthStub(channel)
    answer = health.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_a_deadline_is_kept_and_frees_the_server(http: Http, stub: PredictionServiceStub) -> None:
    request = predict_request(http.model, "slow", steps=np.int64([FOREVER]))
    calls = [stub.Predict.future(request, timeout=0.5) for _ in range(3)]
    for call in calls:
        assert call.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert http.predict({"instances": [row()]}).json() == {"predictions": [ROW_ANSWER]}
