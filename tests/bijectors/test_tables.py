"""The tables of choices: names without TensorFlow, and entries that are there."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bijectors import TimeBijector
from bijectors.hidden.structures import HiddenStructure
from bijectors.scalar.maps import ScalarMap
from bijectors.tables import HIDDEN_STRUCTURES, SCALAR_MAPS, TIME_STRUCTURES
from tests.paths import ROOT


def test_every_entry_is_there() -> None:
    assert all(isinstance(entry, ScalarMap) for entry in SCALAR_MAPS.values())
    assert all(isinstance(entry, HiddenStructure) for entry in HIDDEN_STRUCTURES.values())
    assert all(issubclass(entry, TimeBijector) for entry in TIME_STRUCTURES.values())
    assert len(SCALAR_MAPS) == len(list(SCALAR_MAPS)) == 3


def test_an_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        SCALAR_MAPS["cubic"]


def test_a_configuration_is_made_and_refused_without_tensorflow() -> None:
    code = """
import sys
from tf_latentflow import MODEL_NAMES, ModelConfig
for name in MODEL_NAMES:
    ModelConfig.from_name(name)
try:
    ModelConfig(scalar="cubic")
except ValueError as error:
    assert "affine, nlsq, spline" in str(error), error
else:
    raise AssertionError
assert "tensorflow" not in sys.modules and "keras" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
