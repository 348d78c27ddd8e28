"""The answer to a row does not depend on its batch."""

from __future__ import annotations

import numpy as np

from tests.export.kinds import every_kind, floats, strings_of
from tests.exported import requests


@every_kind
def test_a_row_is_answered_alike_alone_and_in_any_batch(served, kind):
    model, num = served(kind), 24
    field, asked = strings_of(model), requests(num)
    drawn = model("generate", **asked)
    order = np.random.default_rng(1).permutation(num)
    for rows in (*np.split(order, [1, 3, 8, 15]), *([k] for k in range(4))):
        part = model("generate", **{key: value[rows] for key, value in asked.items()})
        assert part[field].tolist() == drawn[field][rows].tolist()
        assert part["num_steps"].tolist() == drawn["num_steps"][rows].tolist()
    strings = drawn[field]
    scored = model("score", **{field: strings})
    for rows in np.split(order, [1, 3, 8]):
        part = model("score", **{field: strings[rows]})
        for key, values in part.items():
            np.testing.assert_allclose(values, scored[key][rows], rtol=1e-5, atol=1e-5)
    if "reconstruct" in model.signatures:
        again = model("reconstruct", **{field: strings, "seed": asked["seed"]})[field]
        for rows in np.split(order, [1, 3, 8]):
            ask = {field: strings[rows], "seed": asked["seed"][rows]}
            assert model("reconstruct", **ask)[field].tolist() == again[rows].tolist()
        encoded = model("encode", **{field: strings})["noise_bytes"]
        decoded = model("decode", noise_bytes=encoded)[field]
        for rows in np.split(order, [1, 3, 8]):
            part = model("encode", **{field: strings[rows]})["noise_bytes"]
            for noise, whole in zip(part, encoded[rows], strict=True):
                np.testing.assert_allclose(floats(noise), floats(whole), rtol=1e-4, atol=1e-4)
            assert model("decode", noise_bytes=encoded[rows])[field].tolist() == (
                decoded[rows].tolist()
            )
    by_step = model("score_steps", **{field: strings})
    unit = "bits" if field == "text" else "nats"
    for rows in np.split(order, [1, 3, 8]):
        part = model("score_steps", **{field: strings[rows]})
        for steps, whole in zip(part[f"{unit}_bytes"], by_step[f"{unit}_bytes"][rows], strict=True):
            np.testing.assert_allclose(floats(steps), floats(whole), rtol=1e-4, atol=1e-4)


@every_kind
def test_a_continuation_begins_as_given_alone_and_in_any_batch(served, kind):
    model = served(kind)
    field = strings_of(model)
    beginning = b"a" if field == "text" else b"\x80\x20"
    longest = len(model("generate", length=[99], seed=[0], temperature=[1.0])[field][0])
    too_long = (beginning * longest)[:longest]
    asked = {
        field: [beginning, beginning, b"", too_long, beginning, beginning * 3],
        "length": [0, 4, 4, 0, 1, -1],
        "seed": [5, 6, 7, 8, 9, 5],
        "temperature": [1.0, 0.0, 1.0, 1.0, 1.0, 0.5],
    }
    together = model("complete", **asked)
    begun = [string.startswith(b) for string, b in zip(together[field], asked[field], strict=True)]
    assert begun == [True, True, True, False, False, True]
    assert together["num_steps"][1:5].tolist() == [4, 0, 0, 0]
    assert together["num_steps"][0] > 1 and together["num_steps"][5] > 3
    for row in range(6):
        alone = model("complete", **{name: values[row : row + 1] for name, values in asked.items()})
        assert alone[field].tolist() == together[field][row : row + 1].tolist()
