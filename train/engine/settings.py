"""How a run is trained, for any kind of data: one frozen dataclass."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Annotated, Literal, NamedTuple, get_type_hints

from train.support.errors import UserError

__all__ = ["LoopSettings", "Range", "refuse_flag"]


class Range(NamedTuple):
    """The allowed values of a number, as an annotation of its field.

    Attributes:
      words: Description for messages.
      holds: Whether a number is allowed.
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
    """Length, batches, objective, optimiser, schedules and intervals of a run."""

    # The docstrings are the help of the programs, which keeps the line breaks before an indent or a
    # mark.

    seed: Annotated[int, _SEED] = 0
    """Seed of the initial weights, the order of the data and all random numbers."""

    epochs: Annotated[int | None, _POSITIVE] = None
    """Length of the run [passes over the training data]. None: no such limit."""
    max_steps: Annotated[int | None, _POSITIVE] = None
    """Length of the run [optimiser steps]. None: no such limit."""
    batch_size: Annotated[int, _POSITIVE] = 32
    """Batch size [sequences]."""
    max_batch_steps: Annotated[int, _NOT_NEGATIVE] = 0
    """Maximum number of time steps per batch, including padding: batches of long sequences contain
    fewer of them [time steps]. 0: no limit."""
    accumulation_steps: Annotated[int, _POSITIVE] = 1
    """Batches whose gradients are added up for one optimiser step [batches]."""
    elbo_samples: Annotated[int, _POSITIVE] = 1
    """Samples of q(z|x) per sequence in the training loss [samples]. The baseline has none."""

    optimizer: Literal["adam", "sgd"] = "adam"
    """Optimiser."""
    learning_rate: Annotated[float, _POSITIVE] = 1e-3
    """Initial learning rate."""
    clip_norm: Annotated[float, _POSITIVE] = 0.25
    """Maximum global norm of the gradient of the loss [nats per symbol]."""
    plateau_patience: Annotated[int, _NOT_NEGATIVE] = 1
    """After the KL ramp: validations without improvement before the learning rate falls."""
    plateau_factor: Annotated[float, _FACTOR] = 4.0
    """Factor by which the learning rate is then divided."""
    final_decay: Annotated[float, _SHARE] = 0.0
    """Final share of the run in which the learning rate falls linearly to 0 [0 to 1]."""

    schedule_unit: Literal["steps", "epochs"] = "steps"
    """Unit of --kl-zero, --kl-ramp and --eval-every."""
    kl_zero: Annotated[float, _NOT_NEGATIVE] = 0.0
    """Time at the start in which the KL weight is only --kl-floor [--schedule-unit]."""
    kl_ramp: Annotated[float, _NOT_NEGATIVE] = 0.0
    """Time after that in which the weight rises linearly to 1 [--schedule-unit]."""
    kl_floor: Annotated[float, _WEIGHT] = 1e-5
    """Smallest weight of the KL term: above 0, so that the prior learns from the start."""

    eval_every: Annotated[float, _POSITIVE] = 1.0
    """Time between validations [--schedule-unit]."""
    valid_sequences: Annotated[int, _NOT_NEGATIVE] = 0
    """Number of sequences in each validation. 0: the whole validation split."""
    valid_samples: Annotated[int, _POSITIVE] = 1
    """Samples of q(z|x) per sequence in a validation [samples]."""
    test_samples: Annotated[int, _POSITIVE] = 50
    """Importance samples per sequence in the final test [samples]."""
    checkpoint_steps: Annotated[int, _POSITIVE] = 100
    """Steps between checkpoints [optimiser steps]."""
    log_steps: Annotated[int, _POSITIVE] = 20
    """Steps between progress lines [optimiser steps]."""
    mixed_precision: bool = False
    """Round matrix products to bfloat16; sums, flows, losses and weights stay float32."""
    compile_loops: bool = True
    """Compile the serial loops with XLA, once per batch length: takes seconds at the start, and
    doubles the speed."""
    jit: bool = False
    """Compile the whole training step with XLA."""

    def check(self) -> None:
        """Checks all values.

        Raises:
          UserError: A value is invalid; the error names the flag and what it expects.
        """
        for name, hint in get_type_hints(type(self), include_extras=True).items():
            value = getattr(self, name)
            for expected in getattr(hint, "__metadata__", ()):
                if isinstance(expected, Range) and not (value is None or expected.holds(value)):
                    refuse_flag(name, expected.words, value)
        if self.epochs is None and self.max_steps is None:
            raise UserError("the run has no end: give --epochs or --max-steps")


def refuse_flag(name: str, expected: str, value: object) -> None:
    """Raises the error for an invalid flag, named after its field.

    Raises:
      UserError: Always.
    """
    flag = "--" + name.replace("_", "-")
    raise UserError(f"{flag} expects {expected}; got {value}")
