"""What the small model of the protocol's tests cannot show of REST."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from export.serving.rest.json_arrays import json_array
from export.serving.rest.json_outputs import answer_of
from export.serving.rest.routes import Route, route_of


def test_text_that_is_not_utf_8_is_passed_through() -> None:
    outputs = {"text": np.array([b"caf\xe9", "\N{SNOWMAN}".encode()], object)}
    assert answer_of(outputs, by_row=True) == b'{"predictions": ["caf\xe9", "\xe2\x98\x83"]}'


def test_names_are_decoded() -> None:
    route = route_of("POST", "/v1/models/my%20model/versions/3:predict")
    assert route == Route("predict", "my model", 3, "")
    route = route_of("GET", "/v1/models/a%2Fb/labels/%C3%A9/metadata")
    assert route == Route("metadata", "a/b", None, "é")


def test_a_version_has_63_bits() -> None:
    path = "/v1/models/m/versions/"
    assert route_of("GET", f"{path}{2**63 - 1}").version == 2**63 - 1
    for digits in (str(2**63), "9" * 5000):  # So many digits Python itself would refuse.
        with pytest.raises(tf.errors.InvalidArgumentError, match="Failed to convert version: 9"):
            route_of("GET", path + digits)


def test_base64_may_have_spaces_and_lack_its_end() -> None:
    strings = [{"b64": "Y2Fm\n6Q=="}, {"b64": " Y2Fm 6Q"}]
    assert json_array("x", strings, tf.string).tolist() == [b"caf\xe9"] * 2


def test_more_dimensions_than_an_array_has_are_refused() -> None:
    value = 1.0
    for _ in range(100):
        value = [value]
    with pytest.raises(tf.errors.InvalidArgumentError, match="input x: .*dimension"):
        json_array("x", value, tf.float32)
