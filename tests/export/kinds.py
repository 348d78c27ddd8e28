"""The models that are exported under test, by kind."""

from __future__ import annotations

import numpy as np
import pytest

from tests.exported import CHARACTERS, MAX_LENGTH, Served
from tests.models import LEAST_FIELDS, make_model
from tf_latentflow.sequence_model import SequenceModel

MUSIC = {"emission": "made", "vocab_size": 11}
_LOCAL = {"inference": "local", "emitter": "local", "flow_layers": 1}
# A flow and the baseline, text and music; the rows of the paper are larger graphs of the same. The
# inverse of an affine map is traced in half the time of a mixture's; `_BY_NIGHT` has that.
_BY_DAY = {"codebook": ("codebook", {"scalar": "affine"}), "lstm-music": ("lstm", MUSIC)}
_BY_NIGHT = {
    "codebook-row": ("codebook", {}),
    "lstm": ("lstm", {}),
    "codebook-music": (
        "codebook",
        {"emission": "bernoulli", "vocab_size": 11, "latent_size": 11, "made_sizes": (16, 16)},
    ),
    "af-only-music": ("af-only", {**MUSIC, "emission": "bernoulli", **LEAST_FIELDS}),
    "iaf-scf": ("iaf-scf", _LOCAL),
} | {f"{name}-row": (name, {}) for name in ("af-af", "af-scf", "iaf-scf")}
KINDS = _BY_DAY | _BY_NIGHT


def nightly(kind: str):
    return pytest.param(kind, marks=pytest.mark.nightly)


every_kind = pytest.mark.parametrize("kind", [*_BY_DAY, *map(nightly, _BY_NIGHT)])


def codebook() -> SequenceModel:
    """The model that the kind of this name exports."""
    name, overrides = KINDS["codebook"]
    fields = {"vocabulary": CHARACTERS, "vocab_size": len(CHARACTERS) + 2}
    return make_model(name, 0.3, max_length=MAX_LENGTH, **fields, **overrides)


def strings_of(served: Served) -> str:
    """The name of the strings."""
    return "text" if "text" in served.signatures["generate"].outputs else "roll_bytes"


def floats(string: bytes) -> np.ndarray:
    """The float32 values of a string."""
    return np.frombuffer(string, "<f4")
