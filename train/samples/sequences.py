"""Drawing new sequences, or continuing, varying or filling in given ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import keras
import numpy as np

from tf_latentflow.interfaces.batches import draw_batches
from tf_latentflow.interfaces.given_batches import (
    TooManyParticles,
    complete_batches,
    fill_in_batches,
    vary_batches,
)
from train.samples.flags import SampleConfig
from train.samples.given import Given
from train.samples.ways import way_of
from train.support.ranges import refuse_flag

__all__ = ["make_sequences"]

# Of all sequences of an interpolation, which are made at once. What the networks compute takes
# several times as much memory.
_MOST_NUMBERS = 2**22

_Batches = Iterator[list[np.ndarray]]


def make_sequences(
    model: keras.Model,
    flags: SampleConfig,
    given: Given,
    progress: Callable[[int, int], None],
) -> _Batches:
    """Draws the requested sequences, each int32 `[T, ...]`, in batches that fit into memory.

    Args:
      model: The model.
      flags: The flags of `resolved`.
      given: What they are made from.
      progress: Called before each batch is used, with the number drawn so far and in total.
    """
    done = 0
    try:
        batches = _batches(model, flags, given)
    except TooManyParticles as error:
        refuse_flag("particles", f"at most {error.most} here", flags.particles)
    for batch in batches:
        done += len(batch)
        progress(done, flags.num or flags.steps)
        yield batch


def _batches(model: keras.Model, flags: SampleConfig, given: Given) -> _Batches:
    """The requested sequences, of which nothing is drawn yet."""
    field = way_of(flags).field
    if field == "interpolate":
        return _interpolated(model, flags, given)
    seed, temperature = flags.seed, flags.temperature
    if not field:
        return draw_batches(
            model, flags.num, seed=seed, temperature=temperature, length=flags.length
        )
    copies = [*given.sequences] * flags.num
    if field in ("prompt", "continue_"):
        made = complete_batches(model, copies, flags.length, flags.particles, temperature, seed)
    elif field == "vary":
        made = vary_batches(model, copies, flags.amount, temperature, seed)
    else:  # "fill" or "harmonise".
        masks = [given.mask] * flags.num
        made = fill_in_batches(
            model, copies, masks, flags.particles, flags.sweeps, temperature, seed
        )
    return (rows for _, rows in made)


def _interpolated(model: keras.Model, flags: SampleConfig, given: Given) -> _Batches:
    first, last = given.sequences
    most = _MOST_NUMBERS // (max(len(first), len(last)) * model.config.vocab_size)
    if flags.steps > most:
        refuse_flag("steps", f"at most {most} for sequences of this length", flags.steps)
    x, lengths = model.interpolate(first, len(first), last, len(last), flags.steps)
    yield [row[:size] for row, size in zip(x.numpy(), lengths.numpy(), strict=True)]
