"""How large a request may be: its body, its tensors, and its rows."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf

from export.serving.local_server import LocalServer
from export.serving.protos import array_of
from tests.export.serving.asked import HEAD, half
from tests.local_servers import http_of, running, send, stub_of
from tests.served import PATIENCE, predict_request
from tests.served_model import HALF, row

MAX_BODY = 100_000


@pytest.fixture(scope="module")
def small_server(model: Path) -> Iterator[LocalServer]:
    with running(model, max_body_bytes=MAX_BODY) as server:
        yield server


def test_a_body_over_the_limit(small_server: LocalServer) -> None:
    url = small_server.rest_url
    declared = HEAD + b"Content-Length: %d\r\n\r\n" % (MAX_BODY + 1)
    assert send(url, declared).startswith(b"HTTP/1.1 413")
    chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % (2 * MAX_BODY)
    assert send(url, chunked + b"x" * (MAX_BODY + 1)).startswith(b"HTTP/1.1 413")
    padding = " " * (MAX_BODY - len(json.dumps(HALF)))
    with http_of(small_server) as http:
        assert http.predict((json.dumps(HALF) + padding).encode()).status == 200


def test_a_tensor_over_the_limit(small_server: LocalServer) -> None:
    with stub_of(small_server) as stub:
        # One element stands for 2**40.
        request = half()
        request.inputs["x"].tensor_shape.dim[0].size = 2**40
        with pytest.raises(grpc.RpcError) as error:
            stub.Predict(request, timeout=PATIENCE)
        assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        request = predict_request("cases", "half", x=np.zeros(MAX_BODY, np.float32))
        with pytest.raises(grpc.RpcError) as error:
            stub.Predict(request, timeout=PATIENCE)
        assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def _promise(dtype: str, sizes: list[int]) -> tf.compat.v1.TensorProto:
    """One element, and a shape of more."""
    value = np.array([b"tea"], object) if dtype == "string" else np.array([1], dtype)
    proto = tf.make_tensor_proto(value)
    proto.ClearField("tensor_shape")
    for size in sizes:
        proto.tensor_shape.dim.add(size=size)
    return proto


@pytest.mark.parametrize(
    ("signature", "name", "dtype", "sizes"),
    [
        ("half", "x", "float32", [200]),
        ("half", "x", "float32", [2]),
        ("look_up", "word", "string", [200]),
        ("types", "flag", "bool", [5]),
        ("types", "point", "float64", [5, 2]),
        ("types", "small", "uint8", [5]),
        ("slow", "steps", "int64", [3, 2]),
    ],
)
def test_a_shape_that_promises_more_than_there_is(
    small_server: LocalServer, signature: str, name: str, dtype: str, sizes: list[int]
) -> None:
    request = predict_request("cases", signature)
    request.inputs[name].CopyFrom(_promise(dtype, sizes))
    (values,) = (
        field.name for field, _ in request.inputs[name].ListFields() if "_val" in field.name
    )
    with stub_of(small_server) as stub:
        for _ in range(2):
            with pytest.raises(grpc.RpcError) as error:
                stub.Predict(request, timeout=PATIENCE)
            assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
            assert f"{np.prod(sizes)} elements" in error.value.details()
            request.inputs[name].ClearField(values)  # The C++ runtime would make it of zeros.


def test_more_elements_than_the_shape_has() -> None:
    proto = tf.make_tensor_proto(np.float32([1, 2, 3]))
    proto.ClearField("tensor_content")
    proto.float_val.extend([1, 2, 3])
    proto.tensor_shape.dim[0].size = 1
    with pytest.raises(tf.errors.InvalidArgumentError, match="has 1 elements, and its data 3"):
        array_of("x", proto, 2**20)


def test_the_limit_is_that_of_the_array_and_not_of_its_message() -> None:
    proto = tf.make_tensor_proto(np.int64([0]))
    proto.tensor_shape.dim[0].size = 1000
    proto.ClearField("tensor_content")
    proto.int64_val[:] = [0] * 1000  # A byte each.
    assert array_of("x", proto, 8000).nbytes == 8000
    with pytest.raises(tf.errors.ResourceExhaustedError, match="is over 7999 bytes"):
        array_of("x", proto, 7999)


def test_no_array_is_made_of_a_promise_or_of_too_many_rows() -> None:
    million = 2**20
    rows = predict_request("cases", "half", x=np.zeros(million, np.float32)).inputs["x"]
    words = tf.make_tensor_proto([b""] * million)
    tracemalloc.start()
    try:
        for proto, max_rows in (
            (_promise("float32", [million]), None),
            (_promise("string", [million]), None),
            (rows, 1000),
            (words, 1000),
        ):
            with pytest.raises(tf.errors.InvalidArgumentError):
                array_of("x", proto, 2**40, max_rows)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_more_rows_than_allowed(model: Path) -> None:
    with running(model, max_rows=3) as server, stub_of(server) as stub, http_of(server) as http:
        for rows, status in ((3, 200), (4, 400), (3000, 400)):
            x = [1.0] * rows
            generate = {"instances": [row()] * rows}
            columns = {name: [value] * rows for name, value in row().items()}
            for document in (
                {"signature_name": "half", "instances": x},
                {"signature_name": "half", "inputs": x},
                {"signature_name": "half", "inputs": {"x": x}},
                generate,
                {"inputs": columns},
                {"inputs": {**columns, "seed": [1] * 4}} if status == 400 else generate,
            ):
                answer = http.predict(document)
                assert answer.status == status
                assert status == 200 or "at most 3" in answer.json()["error"]
            call = stub.Predict.future(predict_request("cases", "half", x=np.float32(x)))
            if status == 200:
                assert call.code() == grpc.StatusCode.OK
            else:
                assert call.code() == grpc.StatusCode.INVALID_ARGUMENT
                assert f"x has {rows} rows" in call.details()
