"""The tables of models: rows of the paper, sizes, and what is observed at a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bijectors.tables import Table

__all__ = ["EMISSIONS", "EMISSION_SIZES", "MODEL_NAMES", "PAPER_ROWS", "PRESETS", "ROWS"]

# The paper's rows (tables 1 and 2) as values of the independent choices of a flow prior. `lstm`,
# the discrete autoregressive baseline, has none of them. Names are looked up here and never parsed.
ROWS: Mapping[str, Mapping[str, str | None]] = {
    "af-af": {"scalar": "nlsq", "hidden": "af", "time": "af"},
    "af-scf": {"scalar": "nlsq", "hidden": "scf", "time": "af"},
    "iaf-scf": {"scalar": "nlsq", "hidden": "scf", "time": "iaf"},
    "af-only": {"scalar": "nlsq", "hidden": "af", "time": "none"},
    "af-af-affine": {"scalar": "affine", "hidden": "af", "time": "af"},
    "af-indep": {"scalar": "nlsq", "hidden": "none", "time": "af"},
    "af-indep-affine": {"scalar": "affine", "hidden": "none", "time": "af"},
    "lstm": {"scalar": None, "hidden": None, "time": None},
}

# Sizes only: everything else of a preset is a matter of training.
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "tiny": {"hidden_size": 16, "latent_size": 3, "flow_layers": 2, "made_sizes": (8, 8)},
    "small": {"hidden_size": 128, "latent_size": 8, "flow_layers": 3, "made_sizes": (64, 64)},
    "paper": {"hidden_size": 500, "latent_size": 50, "flow_layers": 5, "made_sizes": (100, 100)},
}

# What a row has at the published sizes beside its choices: section E of the paper for the layers,
# the released program for the dropout.
PAPER_ROWS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "categorical": {"iaf-scf": {"flow_layers": 3, "dropout": 0.0}, "lstm": {"dropout": 0.1}},
    "bernoulli": {"iaf-scf": {"dropout": 0.0}, "lstm": {"dropout": 0.1}},
}

# Text has no number of symbols of its own: the corpus decides.
EMISSION_SIZES: Mapping[str, Mapping[str, Any]] = {
    "categorical": {},
    "bernoulli": {"vocab_size": 88},  # The keys of a piano.
}

MODEL_NAMES: tuple[str, ...] = tuple(ROWS)

# What is observed at a step: a subclass of `tf_latentflow.symbols.Symbols`.
EMISSIONS = Table(
    {
        "categorical": "tf_latentflow.symbols:CategoricalSymbols",
        "bernoulli": "tf_latentflow.symbols:BernoulliNotes",
    }
)
