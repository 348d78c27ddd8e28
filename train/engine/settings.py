"""How a run is trained, for any kind of data: one frozen dataclass."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Literal

from train.support.errors import UserError
from train.support.ranges import (
    AT_LEAST_1,
    NOT_NEGATIVE,
    POSITIVE,
    SEED,
    SHARE,
    WEIGHT,
    check_ranges,
)

__all__ = ["LoopSettings"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoopSettings:
    """Length, batches, objective, optimiser, schedules and intervals of a run."""

    # The docstrings are the help of the programs, which keeps the line breaks before an indent or a
    # mark.

    seed: Annotated[int, SEED] = 0
    """Seed of the initial weights, the order of the data and all random numbers."""

    epochs: Annotated[int | None, POSITIVE] = None
    """Length of the run [passes over the training data]. None: no such limit."""
    max_steps: Annotated[int | None, POSITIVE] = None
    """Length of the run [optimiser steps]. None: no such limit."""
    batch_size: Annotated[int, POSITIVE] = 32
    """Batch size [sequences]."""
    max_batch_steps: Annotated[int, NOT_NEGATIVE] = 0
    """Maximum number of time steps per batch, including padding: batches of long sequences contain
    fewer of them [time steps]. 0: no limit."""
    accumulation_steps: Annotated[int, POSITIVE] = 1
    """Batches whose gradients are added up for one optimiser step [batches]."""
    elbo_samples: Annotated[int, POSITIVE] = 1
    """Samples of q(z|x) per sequence in the training loss [samples]. The baseline has none."""

    optimizer: Literal["adam", "sgd"] = "adam"
    """Optimiser."""
    learning_rate: Annotated[float, POSITIVE] = 1e-3
    """Initial learning rate."""
    clip_norm: Annotated[float, POSITIVE] = 0.25
    """Maximum global norm of the gradient of the loss [nats per symbol]."""
    plateau_patience: Annotated[int, NOT_NEGATIVE] = 1
    """Validations without improvement before the learning rate falls, after the KL ramp."""
    plateau_factor: Annotated[float, AT_LEAST_1] = 4.0
    """Factor by which the learning rate is then divided."""
    final_decay: Annotated[float, SHARE] = 0.0
    """Fraction of the run, at its end, over which the learning rate falls to 0 [0 to 1]."""

    schedule_unit: Literal["steps", "epochs"] = "steps"
    """Unit of --kl-zero, --kl-ramp and --eval-every."""
    kl_zero: Annotated[float, NOT_NEGATIVE] = 0.0
    """Time at the start during which the KL weight is only --kl-floor [--schedule-unit]."""
    kl_ramp: Annotated[float, NOT_NEGATIVE] = 0.0
    """Time after that over which the weight rises linearly to 1 [--schedule-unit]."""
    kl_floor: Annotated[float, WEIGHT] = 1e-5
    """Smallest weight of the KL term: above 0, so that the prior learns from the start."""

    eval_every: Annotated[float, POSITIVE] = 1.0
    """Time between validations [--schedule-unit]."""
    valid_sequences: Annotated[int, NOT_NEGATIVE] = 0
    """Number of sequences in each validation. 0: the whole validation split."""
    valid_samples: Annotated[int, POSITIVE] = 1
    """Samples of q(z|x) per sequence in a validation [samples]."""
    test_samples: Annotated[int, POSITIVE] = 50
    """Importance samples per sequence in the final test [samples]."""
    checkpoint_steps: Annotated[int, POSITIVE] = 100
    """Steps between checkpoints [optimiser steps]."""
    log_steps: Annotated[int, POSITIVE] = 20
    """Steps between progress lines [optimiser steps]."""
    mixed_precision: bool = False
    """Round matrix products to bfloat16; sums, flows, losses and weights stay float32."""
    compile_loops: bool = True
    """Compile the serial loops with XLA, once per batch length. This takes seconds at the start
    and makes each step faster."""
    jit: bool = False
    """Compile the whole training step with XLA."""

    def check(self) -> None:
        """Checks all values.

        Raises:
          UserError: A value is invalid; the error names the flag and what it expects.
        """
        check_ranges(self)
        if self.epochs is None and self.max_steps is None:
            raise UserError("the run has no end: give --epochs or --max-steps")
