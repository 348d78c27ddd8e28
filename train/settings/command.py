"""The command line for the settings of a run."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator

from train.engine.differences import LIMITS
from train.settings.config import TrainConfig
from train.settings.flags import model_flag_of

__all__ = ["training_command"]


def training_command(config: TrainConfig) -> str:
    """Returns the shortest command that trains with these settings, without folders."""
    return shlex.join(["python", "-m", config.program, *_flags(config)])


def _flags(config: TrainConfig) -> Iterator[str]:
    """The flags that differ from the defaults of preset, model and dataset."""
    plain = type(config)
    first = {"preset": config.preset, "model": config.model, "dataset": config.dataset}
    default = plain.from_preset(**first)
    for name, value in first.items():
        # The model of a run that started from another is that of the other.
        if value != getattr(plain, name) and not (name == "model" and config.init_from):
            yield f"--{name}={value}"
    limits = {name: getattr(config, name) for name in LIMITS}
    # One alone lifts the other, so that both are given if either is not the default.
    changed = limits != {name: getattr(default, name) for name in LIMITS}
    for field in dataclasses.fields(config):
        name, value = field.name, getattr(config, field.name)
        flag = model_flag_of(name)
        if name in first or name in ("workdir", "data_dir", "workers", "worker_index"):
            continue
        if name in LIMITS:
            if changed and value is not None:
                yield f"{flag}={value}"
        elif value != getattr(default, name):
            if isinstance(value, bool):
                yield flag if value else flag.replace("--", "--no-", 1)
            else:
                yield f"{flag}={value}"
