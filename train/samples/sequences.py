"""Drawing new sequences, or continuing, varying or filling in given ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

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
        batches = _MAKERS[way_of(flags).field](model, flags, given)
    except TooManyParticles as error:
        refuse_flag("particles", f"at most {error.most} here", flags.particles)
    for batch in batches:
        done += len(batch)
        progress(done, flags.num or flags.steps)
        yield batch


def _new(model: keras.Model, flags: SampleConfig, given: Given) -> _Batches:
    return draw_batches(
        model, flags.num, seed=flags.seed, temperature=flags.temperature, length=flags.length
    )


def _continued(model: keras.Model, flags: SampleConfig, given: Given) -> _Batches:
    made = complete_batches(
        model, _copies(given, flags), flags.length, flags.particles, flags.temperature, flags.seed
    )
    return (rows for _, rows in made)


def _filled_in(model: keras.Model, flags: SampleConfig, given: Given) -> _Batches:
    made = fill_in_batches(
        model,
        _copies(given, flags),
        [given.mask] * flags.num,
        flags.particles,
        flags.sweeps,
        flags.temperature,
        flags.seed,
    )
    return (rows for _, rows in made)


def _varied(model: keras.Model, flags: SampleConfig, given: Given) -> _Batches:
    made = vary_batches(model, _copies(given, flags), flags.amount, flags.temperature, flags.seed)
    return (rows for _, rows in made)


def _interpolated(model: keras.Model, flags: SampleConfig, given: Given) -> _Batches:
    first, last = given.sequences
    most = _MOST_NUMBERS // (max(len(first), len(last)) * model.config.vocab_size)
    if flags.steps > most:
        refuse_flag("steps", f"at most {most} for sequences of this length", flags.steps)
    x, lengths = model.interpolate(first, len(first), last, len(last), flags.steps)
    yield [row[:size] for row, size in zip(x.numpy(), lengths.numpy(), strict=True)]


_MAKERS: Mapping[str, Callable[..., _Batches]] = {
    "": _new,
    "prompt": _continued,
    "continue_": _continued,
    "vary": _varied,
    "interpolate": _interpolated,
    "fill": _filled_in,
    "harmonise": _filled_in,
}


def _copies(given: Given, flags: SampleConfig) -> list[np.ndarray]:
    """The given sequence, once for each sample."""
    return [*given.sequences] * flags.num
