"""How a run is trained, whatever it is a run of: one frozen dataclass."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

from train.support.errors import UserError

__all__ = ["LoopSettings", "refuse_flag"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoopSettings:
    """Length, batches, objective, optimiser, schedule and intervals of a run."""

    # The docstrings are the help of the programs, which keeps the line breaks before an indent or a
    # mark.

    seed: int = 0
    """Seed of the initial weights, the order of the data and all random numbers."""

    epochs: int | None = None
    """Length of the run [passes over the training data]. None: no limit of this kind."""
    max_steps: int | None = None
    """Length of the run [optimiser steps]. None: no limit of this kind."""
    batch_size: int = 32
    """Sequences that go through the model at once [sequences]."""
    max_batch_steps: int = 0
    """Most time steps, padding included, in a batch: longer sequences come in smaller batches,
    and the longest alone [time steps]. 0: no limit."""
    accumulation_steps: int = 1
    """Batches whose gradients are added for one optimiser step [batches]."""
    elbo_samples: int = 1
    """Samples of q(z|x) in the training loss [samples of each sequence]. The baseline has none."""

    optimizer: Literal["adam", "sgd"] = "adam"
    """Update rule of the weights."""
    learning_rate: float = 1e-3
    """Initial learning rate of the optimiser."""
    clip_norm: float = 0.25
    """Largest global norm of the gradient of the loss [nats per symbol]."""
    plateau_patience: int = 1
    """Validations without improvement that are waited out after the KL ramp [validations]."""
    plateau_factor: float = 4.0
    """What the next one without improvement divides the learning rate by."""
    final_decay: float = 0.0
    """Share of the run, at its end, over which the learning rate falls linearly to 0 [0 to 1]."""

    schedule_unit: Literal["steps", "epochs"] = "steps"
    """Unit of --kl-zero, --kl-ramp and --eval-every."""
    kl_zero: float = 0.0
    """Time at the start for which the KL term has only the weight --kl-floor [--schedule-unit]."""
    kl_ramp: float = 0.0
    """Time after that over which its weight rises linearly to 1 [--schedule-unit]."""
    kl_floor: float = 1e-5
    """Smallest weight of the KL term: more than 0, so that the prior learns from the start."""

    eval_every: float = 1.0
    """Time between validations [--schedule-unit]."""
    valid_sequences: int = 0
    """Sequences of the validation split that a validation during training uses. 0: all."""
    valid_samples: int = 1
    """Samples of q(z|x) in a validation during training [samples of each sequence]."""
    test_samples: int = 50
    """Importance samples of the final test [samples of each sequence]."""
    checkpoint_steps: int = 100
    """Steps between checkpoints [optimiser steps]."""
    log_steps: int = 20
    """Steps between lines of progress [optimiser steps]."""
    mixed_precision: bool = False
    """Products of matrices rounded to bfloat16; sums, flows, losses and weights stay float32."""
    compile_loops: bool = True
    """Compile the serial loops of training and testing with XLA, once for each length of a batch:
    seconds at the start, for twice the speed."""
    jit: bool = False
    """Compile the whole training step, likewise."""

    def check(self) -> None:
        """Refuses values that no run can have.

        Raises:
          UserError: Naming the flag, what it expects and what it got.
        """
        for name in _POSITIVE:
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                refuse_flag(name, "a number above 0", value)
        for name in _NOT_NEGATIVE:
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                refuse_flag(name, "a number of at least 0", value)
        if not 0 <= self.seed < 2**31:
            refuse_flag("seed", "a whole number from 0 to 2147483647", self.seed)
        if not self.plateau_factor >= 1:
            refuse_flag("plateau_factor", "a number of at least 1", self.plateau_factor)
        if not self.final_decay <= 1:
            refuse_flag("final_decay", "a share from 0 to 1", self.final_decay)
        if not self.kl_floor <= 1:
            refuse_flag("kl_floor", "a weight above 0, and at most 1", self.kl_floor)
        if self.epochs is None and self.max_steps is None:
            raise UserError("the run has no end: give --epochs or --max-steps")


_POSITIVE = (
    "epochs",
    "max_steps",
    "batch_size",
    "accumulation_steps",
    "elbo_samples",
    "learning_rate",
    "clip_norm",
    "kl_floor",
    "eval_every",
    "valid_samples",
    "test_samples",
    "checkpoint_steps",
    "log_steps",
)
_NOT_NEGATIVE = (
    "max_batch_steps",
    "final_decay",
    "kl_zero",
    "kl_ramp",
    "valid_sequences",
    "plateau_patience",
)


def refuse_flag(name: str, expected: str, value: object) -> None:
    """Raises the error of one flag, named after its field.

    Raises:
      UserError: Always.
    """
    flag = "--" + name.replace("_", "-")
    raise UserError(f"{flag} expects {expected}; got {value}")
