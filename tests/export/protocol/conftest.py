"""The public protocol, over HTTP and by the generated gRPC stubs, against any server.

The local server is always asked. A TF Serving is asked too if the environment names one that serves
the model of `tests/served_model.py`:

    python tests/served_model.py /tmp/served/cases
    docker run -p 8500:8500 -p 8501:8501 -v /tmp/served/cases:/models/cases -e MODEL_NAME=cases \
        tensorflow/serving
    TF_SERVING_URL=http://localhost:8501/v1/models/cases TF_SERVING_GRPC=localhost:8500 \
        pytest tests/export/protocol

Only this file knows which server it is: the tests beside it import nothing of ours that serves.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import grpc
import pytest
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from tests.local_servers import running
from tests.served import Http


class Address(NamedTuple):
    url: str
    target: str
    is_local: bool


@pytest.fixture(scope="module", params=["local", "tf_serving"])
def address(request: pytest.FixtureRequest, model: Path) -> Iterator[Address]:
    if request.param == "tf_serving":
        url, target = os.environ.get("TF_SERVING_URL"), os.environ.get("TF_SERVING_GRPC")
        if not (url and target):
            pytest.skip("TF_SERVING_URL and TF_SERVING_GRPC name no TF Serving")
        yield Address(url, target, is_local=False)
        return
    with running(model) as server:
        yield Address(server.rest_url, server.grpc_target, is_local=True)


@pytest.fixture(scope="module")
def http(address: Address) -> Iterator[Http]:
    http = Http(address.url)
    yield http
    http.close()


@pytest.fixture(scope="module")
def channel(address: Address) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(address.target) as channel:
        yield channel


@pytest.fixture(scope="module")
def stub(channel: grpc.Channel) -> PredictionServiceStub:
    return PredictionServiceStub(channel)
