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
        "compile_loops": False,
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
        "plateau_patience": 4,
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

# What differs from these on music.
_MUSIC: Mapping[str, Mapping[str, Any]] = {
    "tiny": {"max_batch_steps": 1024},
    "small": {
        "max_steps": 1200,
        "batch_size": 8,
        "valid_sequences": 0,
        "max_batch_steps": 16384,
    },
    # Appendix E of the paper; a step's batch is that of `_PAPER_BATCHES`.
    "paper": {
        "plateau_patience": 4,
        "checkpoint_steps": 100,
        "log_steps": 20,
        "max_batch_steps": 16384,
    },
}

# Batch size and accumulation steps of the published runs; 5 and 1 on any other set.
_PAPER_BATCHES: Mapping[str, tuple[int, int]] = {"piano-midi": (1, 8), "musedata": (1, 8)}

# The optimiser and the objective, by kind of data, preset and family of models.
_OBJECTIVES: Mapping[tuple[str, str, str], Mapping[str, Any]] = {
    ("text", "tiny", "flow"): {
        "learning_rate": 5e-3,
        "kl_zero": 5,
        "kl_ramp": 10,
        "elbo_samples": 2,
    },
    ("text", "tiny", "lstm"): {"learning_rate": 5e-3},
    # A KL weight of 0.05 from the start costs no reconstruction, and keeps q from running away
    # from a prior that has yet to learn: with 1e-5 the KL grew to 90 bits per character.
    ("text", "small", "flow"): {
        "learning_rate": 5e-3,
        "kl_floor": 0.05,
        "kl_zero": 100,
        "kl_ramp": 400,
    },
    ("text", "small", "lstm"): {"learning_rate": 5e-3},
    ("text", "paper", "flow"): {
        "learning_rate": 1e-3,
        "kl_zero": 4,
        "kl_ramp": 10,
        "elbo_samples": 10,
    },
    ("text", "paper", "lstm"): {"optimizer": "sgd", "learning_rate": 20.0},
    ("music", "tiny", "flow"): {"learning_rate": 5e-3, "kl_zero": 5, "kl_ramp": 10},
    ("music", "tiny", "lstm"): {"learning_rate": 5e-3},
    # Without dropout a model learns a few hundred pieces by heart in twenty epochs.
    ("music", "small", "flow"): {
        "dropout": 0.5,
        "posterior_dropout": 0.2,
        "emitter_dropout": 0.5,
        "learning_rate": 5e-3,
        "kl_floor": 0.05,
        "kl_zero": 200,
        "kl_ramp": 600,
    },
    ("music", "small", "lstm"): {"dropout": 0.5, "learning_rate": 5e-3},
    ("music", "paper", "flow"): {"learning_rate": 1e-3, "kl_zero": 20, "kl_ramp": 15},
    ("music", "paper", "lstm"): {"optimizer": "sgd", "learning_rate": 20.0},
}

# The density of IAF is computed step by step, without dropout on the prior's LSTM.
_WITHOUT_DROPOUT = ("iaf-scf",)


def family(model: str) -> str:
    """Returns which rows of the preset table a model reads: `lstm` or `flow`."""
    return "lstm" if model == "lstm" else "flow"


def preset_fields(task: str, preset: str, model: str, dataset: str) -> dict[str, Any]:
    """Returns the fields of `TrainConfig` that a preset sets for a model on a dataset.

    Args:
      task: Kind of data, `text` or `music`.
      preset: One of `PRESET_NAMES`.
      model: Any name; `lstm` has rows of its own.
      dataset: Name of the dataset.

    Raises:
      ValueError: If there is no such preset.
    """
    if preset not in PRESET_NAMES:
        raise ValueError(f"expected a preset of {', '.join(PRESET_NAMES)}; got {preset!r}")
    fields = {**_COMMON[preset], **_OBJECTIVES[task, preset, family(model)]}
    if model in _WITHOUT_DROPOUT:
        fields.pop("dropout", None)
    if task == "music":
        fields |= _MUSIC[preset]
        if preset == "paper":
            batch_size, accumulation = _PAPER_BATCHES.get(dataset, (5, 1))
            fields |= {"batch_size": batch_size, "accumulation_steps": accumulation}
    return fields
