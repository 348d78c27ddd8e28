"""Tiny models and batches that several tests share."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import pytest

from tf_latentflow import MODEL_NAMES, ModelConfig, build_model
from tf_latentflow.config.rows import NOTES

__all__ = [
    "LEAST_FIELDS",
    "LEAST_FLAGS",
    "LEAST_FLOW",
    "LEAST_TIME_LAYERS",
    "LENGTHS",
    "QUICK_ROWS",
    "draw_x",
    "every_flow",
    "every_row",
    "make_model",
    "rows",
]

# The other rows are tested nightly: `tests/tf_latentflow/test_choices.py` and
# `test_prior_structure.py` go through the choices that rows are made of.
QUICK_ROWS = ("codebook", "lstm")
# What makes of any row the flow that is traced and compiled in the least time, for tests of
# programs and servers; and the same as flags.
LEAST_FIELDS = {
    **{"scalar": "affine", "hidden": "none", "time": "none", "flow_layers": 1},
    **{"inference": "local", "emitter": "local"},
}
LEAST_FLAGS = tuple(f"--{name.replace('_', '-')}={v}" for name, v in LEAST_FIELDS.items())
LEAST_FLOW = ("--model", "af-only", *LEAST_FLAGS)
# Layers along time, where one will not do.
LEAST_TIME_LAYERS = {"coupling": 2, "multiscale": 2}
LENGTHS = np.array([5, 3, 0], np.int32)


def rows(cases: Sequence[str | tuple[str, ...]]) -> list[object]:
    """Parameters of a test, which begin with the name of a row; those of slow rows are nightly."""
    found = []
    for case in cases:
        values = (case,) if isinstance(case, str) else case
        marks = () if values[0] in QUICK_ROWS else (pytest.mark.nightly,)
        found.append(pytest.param(*values, marks=marks))
    return found


_TEXT_ROWS = [name for name in MODEL_NAMES if ModelConfig.from_name(name).is_text]
# What is observed is a choice apart from the flow's: one row with each kind of notes will do.
every_row = pytest.mark.parametrize(
    "name, emission",
    rows([*((name, "categorical") for name in _TEXT_ROWS), *(("lstm", kind) for kind in NOTES)]),
)
every_flow = pytest.mark.parametrize("name", rows([n for n in _TEXT_ROWS if n != "lstm"]))


def make_model(name: str, spread: float = 0.1, **overrides: object) -> keras.Model:
    sizes = {"vocab_size": 6, "max_length": 9, "num_lstm_layers": 1, **overrides}
    keras.utils.set_random_seed(0)
    model = build_model(ModelConfig.from_name(name, "tiny", **sizes))
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign_add(rng.normal(0, spread, variable.shape))
    return model


def draw_x(num_steps: int = 5, batch: int = 3, emission: str = "categorical") -> np.ndarray:
    rng = np.random.default_rng(1)
    if emission in NOTES:
        return rng.integers(0, 2, (batch, num_steps, 6), np.uint8)
    return rng.integers(2, 6, (batch, num_steps)).astype(np.int32)
