"""The table of training presets: how long, how fast, and by which schedule a model is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["PRESET_NAMES", "family", "preset_fields"]

PRESET_NAMES = ("tiny", "small", "paper")

# Every row is complete but for the fields whose default in `TrainConfig` holds for all presets.
# Counts of `tiny` and `small` are optimiser steps, those of `paper` epochs (`schedule_unit`).
_COMMON: Mapping[str, Mapping[str, Any]] = {
    # Seconds; for tests.
    "tiny": {
        "schedule_unit": "steps",
        "epochs": None,
        "max_steps": 40,
        "batch_size": 8,
        "eval_every": 10,
        "checkpoint_steps": 10,
        "log_steps": 5,
        "valid_sequences": 32,
        "final_decay": 0.25,
        "test_samples": 4,
    },
    # About ten minutes on two CPU cores.
    "small": {
        "schedule_unit": "steps",
        "epochs": None,
        "max_steps": 1000,
        "batch_size": 32,
        "eval_every": 100,
        "plateau_patience": 2,
        "checkpoint_steps": 100,
        "log_steps": 20,
        "valid_sequences": 512,
        "final_decay": 0.5,
        "test_samples": 50,
    },
    # As published, and as the released program sets what the paper leaves out.
    "paper": {
        "schedule_unit": "epochs",
        "epochs": 100,
        "max_steps": None,
        "batch_size": 15,
        "eval_every": 1,
        "checkpoint_steps": 1000,
        "log_steps": 100,
        "valid_sequences": 0,
        "final_decay": 0.0,
        "test_samples": 50,
    },
}

# The optimiser and the objective, by preset and family of models.
_BY_FAMILY: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("tiny", "flow"): {"learning_rate": 5e-3, "kl_zero": 5, "kl_ramp": 10, "elbo_samples": 2},
    ("tiny", "lstm"): {"learning_rate": 5e-3},
    # A KL weight of 0.05 from the start costs no reconstruction, and keeps q from running away
    # from a prior that has yet to learn: with 1e-5 the KL grew to 90 bits per character.
    ("small", "flow"): {"learning_rate": 5e-3, "kl_floor": 0.05, "kl_zero": 100, "kl_ramp": 400},
    ("small", "lstm"): {"learning_rate": 5e-3},
    ("paper", "flow"): {"learning_rate": 1e-3, "kl_zero": 4, "kl_ramp": 10, "elbo_samples": 10},
    ("paper", "lstm"): {"optimizer": "sgd", "learning_rate": 20.0},
}


def family(model: str) -> str:
    """Returns which rows of the preset table a model reads: `lstm` or `flow`."""
    return "lstm" if model == "lstm" else "flow"


def preset_fields(preset: str, model: str) -> dict[str, Any]:
    """Returns the fields of `TrainConfig` that a preset sets for a model.

    Raises:
      ValueError: If there is no such preset.
    """
    if preset not in PRESET_NAMES:
        raise ValueError(f"expected a preset of {', '.join(PRESET_NAMES)}; got {preset!r}")
    return {**_COMMON[preset], **_BY_FAMILY[preset, family(model)]}
