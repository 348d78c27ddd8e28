"""How a run is trained, whatever it is a run of: one frozen dataclass."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Annotated, Literal, NamedTuple, get_type_hints

from train.support.errors import UserError

__all__ = ["LoopSettings", "Range", "refuse_flag"]


class Range(NamedTuple):
    """What a number may be; stands in the annotation of its field.

    Attributes:
      words: Says it in a message.
      holds: Whether a number is one of these.
    """

    words: str
    holds: Callable[[float], bool]


_POSITIVE = Range("a number above 0", lambda x: 0 < x < math.inf)
_NOT_NEGATIVE = Range("a number of at least 0", lambda x: 0 <= x < math.inf)
_FACTOR = Range("a number of at least 1", lambda x: 1 <= x < math.inf)
_SHARE = Range("a share from 0 to 1", lambda x: 0 <= x <= 1)
_WEIGHT = Range("a weight above 0, and at most 1", lambda x: 0 < x <= 1)
_SEED = Range("a whole number from 0 to 2147483647", lambda x: 0 <= x < 2**31)


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoopSettings:
    """Length, batches, objective, optimiser, schedule and intervals of a run."""

    # The docstrings are the help of the programs, which keeps the line breaks before an indent or a
    # mark.

    seed: Annotated[int, _SEED] = 0
    """Seed of the initial weights, the order of the data and all random numbers."""

    epochs: Annotated[int | None, _POSITIVE] = None
    """Length of the run [passes over the training data]. None: no limit of this kind."""
    max_steps: Annotated[int | None, _POSITIVE] = None
    """Length of the run [optimiser steps]. None: no limit of this kind."""
    batch_size: Annotated[int, _POSITIVE] = 32
    """Sequences that go through the model at once [sequences]."""
    max_batch_steps: Annotated[int, _NOT_NEGATIVE] = 0
    """Most time steps, padding included, in a batch: longer sequences come in smaller batches,
    and the longest alone [time steps]. 0: no limit."""
    accumulation_steps: Annotated[int, _POSITIVE] = 1
    """Batches whose gradients are added for one optimiser step [batches]."""
    elbo_samples: Annotated[int, _POSITIVE] = 1
    """Samples of q(z|x) in the training loss [samples of each sequence]. The baseline has none."""

    optimizer: Literal["adam", "sgd"] = "adam"
    """Update rule of the weights."""
    learning_rate: Annotated[float, _POSITIVE] = 1e-3
    """Initial learning rate of the optimiser."""
    clip_norm: Annotated[float, _POSITIVE] = 0.25
    """Largest global norm of the gradient of the loss [nats per symbol]."""
    plateau_patience: Annotated[int, _NOT_NEGATIVE] = 1
    """Validations without improvement that are waited out after the KL ramp [validations]."""
    plateau_factor: Annotated[float, _FACTOR] = 4.0
    """What the next one without improvement divides the learning rate by."""
    final_decay: Annotated[float, _SHARE] = 0.0
    """Share of the run, at its end, over which the learning rate falls linearly to 0 [0 to 1]."""

    schedule_unit: Literal["steps", "epochs"] = "steps"
    """Unit of --kl-zero, --kl-ramp and --eval-every."""
    kl_zero: Annotated[float, _NOT_NEGATIVE] = 0.0
    """Time at the start for which the KL term has only the weight --kl-floor [--schedule-unit]."""
    kl_ramp: Annotated[float, _NOT_NEGATIVE] = 0.0
    """Time after that over which its weight rises linearly to 1 [--schedule-unit]."""
    kl_floor: Annotated[float, _WEIGHT] = 1e-5
    """Smallest weight of the KL term: more than 0, so that the prior learns from the start."""

    eval_every: Annotated[float, _POSITIVE] = 1.0
    """Time between validations [--schedule-unit]."""
    valid_sequences: Annotated[int, _NOT_NEGATIVE] = 0
    """Sequences of the validation split that a validation during training uses. 0: all."""
    valid_samples: Annotated[int, _POSITIVE] = 1
    """Samples of q(z|x) in a validation during training [samples of each sequence]."""
    test_samples: Annotated[int, _POSITIVE] = 50
    """Importance samples of the final test [samples of each sequence]."""
    checkpoint_steps: Annotated[int, _POSITIVE] = 100
    """Steps between checkpoints [optimiser steps]."""
    log_steps: Annotated[int, _POSITIVE] = 20
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
        for name, hint in get_type_hints(type(self), include_extras=True).items():
            value = getattr(self, name)
            for expected in getattr(hint, "__metadata__", ()):
                if isinstance(expected, Range) and not (value is None or expected.holds(value)):
                    refuse_flag(name, expected.words, value)
        if self.epochs is None and self.max_steps is None:
            raise UserError("the run has no end: give --epochs or --max-steps")


def refuse_flag(name: str, expected: str, value: object) -> None:
    """Raises the error of one flag, named after its field.

    Raises:
      UserError: Always.
    """
    flag = "--" + name.replace("_", "-")
    raise UserError(f"{flag} expects {expected}; got {value}")
