"""The tables of choices: names without TensorFlow, and entries that are there."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest

from bijectors import CouplingTime, TimeBijector
from bijectors.hidden.entries import HiddenStructure
from bijectors.scalar.maps import ScalarMap
from bijectors.tables import (
    CAUSAL_TIME_STRUCTURES,
    COUPLING_TIME_STRUCTURES,
    HIDDEN_STRUCTURES,
    SCALAR_MAPS,
    TIME_STRUCTURES,
    Numbered,
    Table,
)
from tests.paths import ROOT


def test_every_entry_is_there() -> None:
    assert all(isinstance(entry, ScalarMap) for entry in SCALAR_MAPS.values())
    assert all(isinstance(entry, HiddenStructure) for entry in HIDDEN_STRUCTURES.values())
    assert all(issubclass(entry, TimeBijector) for entry in TIME_STRUCTURES.values())
    assert len(SCALAR_MAPS) == len(list(SCALAR_MAPS)) > 0


def test_what_is_known_of_structures_across_steps_is_that_of_their_classes() -> None:
    assert not set(COUPLING_TIME_STRUCTURES) & set(CAUSAL_TIME_STRUCTURES)
    for name, kind in TIME_STRUCTURES.items():
        assert issubclass(kind, CouplingTime) == (name in COUPLING_TIME_STRUCTURES)


@pytest.mark.parametrize(
    "name",
    ["cubic", "", ":", ":3", "nlsq:3", "mixture:", "mixture:x", "mixture:0", "mixture:-1"]
    + ["mixture:1.5", "mixture:08", "mixture: 8", "mixture:8:8", "mixture:\u0668", "mixture:1001"]
    + ["spline:1", "mixture:" + "9" * 5000, None, 8, []],
)
def test_an_unknown_name_is_a_key_error(name: object) -> None:
    assert name not in SCALAR_MAPS
    with pytest.raises(KeyError):
        SCALAR_MAPS[name]


def test_a_number_after_a_colon_is_the_size_of_an_entry() -> None:
    assert "mixture:1000" in SCALAR_MAPS and "spline:2" in SCALAR_MAPS
    assert SCALAR_MAPS["mixture:3"].num_params == 3 * 3 + 2
    assert SCALAR_MAPS["mixture"].num_params == SCALAR_MAPS["mixture:8"].num_params
    assert SCALAR_MAPS["spline:5"].num_params == 3 * 5 - 1
    assert SCALAR_MAPS["spline"].num_params == SCALAR_MAPS["spline:8"].num_params
    assert SCALAR_MAPS["mixture:3"] is SCALAR_MAPS["mixture:3"]


def test_the_size_of_an_entry_may_be_its_default() -> None:
    sizes = {"mixture:3": 3, "mixture": 8, "spline": 8, "affine": 0}
    assert {name: SCALAR_MAPS.number_of(name) for name in sizes} == sizes


def test_an_entry_can_be_added_from_outside() -> None:
    table = Table({"tau": "math:tau"})
    for _ in range(2):  # A cell of a notebook runs more than once.
        table.add("e", "math:e")
        table.add("two", 2.0)
    table.add("last", Numbered("builtins:float", least=3))
    assert dict(table) == {"tau": math.tau, "e": math.e, "two": 2.0, "last": 0.0}
    assert table["last:4"] == 4.0 and table.number_of("two") == 0
    for taken, entry in (("tau", "math:pi"), ("two", 3.0), ("two:3", 2.0)):
        with pytest.raises(ValueError, match=f"expected a new name without a colon; got '{taken}'"):
            table.add(taken, entry)


def test_a_configuration_is_made_and_refused_without_tensorflow() -> None:
    code = """
import sys
from tf_latentflow import MODEL_NAMES, ModelConfig
for name in MODEL_NAMES:
    ModelConfig.from_name(name)
ModelConfig(scalar="mixture:8")
for wrong in ("cubic", "nlsq:3", "mixture:0"):
    try:
        ModelConfig(scalar=wrong)
    except ValueError as error:
        assert "affine, nlsq, spline" in str(error), error
    else:
        raise AssertionError
assert "tensorflow" not in sys.modules and "keras" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
