"""Drawing new sequences, or continuing, varying or filling in given ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import keras
import numpy as np
import tensorflow as tf

from tf_latentflow.ways.batches import draw_batches
from train.samples.flags import SampleConfig
from train.samples.given import Given
from train.samples.ways import way_of
from train.support.ranges import refuse_flag

__all__ = ["make_sequences"]

_MOST_NUMBERS = 2**25  # Maximum size of all particles together: 128 MB.
_MOST_OF_ONE = 16  # Times as many numbers that a single row may have: 2 GB.


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
    for batch in _MAKERS[way_of(flags).field](model, flags, given):
        done += len(batch)
        progress(done, flags.num or flags.steps)
        yield batch


def _new(model: keras.Model, flags: SampleConfig, given: Given) -> _Batches:
    return draw_batches(
        model, flags.num, seed=flags.seed, temperature=flags.temperature, length=flags.length
    )


def _continued(model: keras.Model, flags: SampleConfig, given: Given) -> _Batches:
    (beginning,) = given.sequences
    # Only an emitter that reads one step can do without the rest of every particle.
    one_step = model.config.is_flow and model.emitter.reads_one_step
    num_steps = len(beginning) if one_step else flags.length or model.config.max_length
    for rows, seed in _batches(flags, num_steps * model.config.vocab_size, flags.particles):
        sizes = np.full([rows], len(beginning), np.int32)
        lengths = None if flags.length is None else np.full([rows], flags.length, np.int32)
        x, lengths = model.complete(
            _copies(beginning, rows),
            sizes,
            lengths,
            temperature=flags.temperature,
            seed=seed,
            num_particles=flags.particles,
        )
        yield [row[:size] for row, size in zip(x.numpy(), lengths.numpy(), strict=True)]


def _filled_in(model: keras.Model, flags: SampleConfig, given: Given) -> _Batches:
    (sequence,) = given.sequences
    for rows, seed in _batches(flags, len(sequence) * model.config.vocab_size, flags.particles):
        x = model.fill_in(
            _copies(sequence, rows),
            np.full([rows], len(sequence), np.int32),
            _copies(given.mask, rows),
            temperature=flags.temperature,
            seed=seed,
            num_particles=flags.particles,
            sweeps=flags.sweeps,
        )
        yield list(x.numpy())


def _varied(model: keras.Model, flags: SampleConfig, given: Given) -> _Batches:
    (sequence,) = given.sequences
    # What the networks compute takes several times what the symbols take.
    for rows, seed in _batches(flags, len(sequence) * model.config.vocab_size, 8):
        lengths = np.full([rows], len(sequence), np.int32)
        x = _copies(sequence, rows)
        yield list(model.vary(x, lengths, flags.amount, seed, flags.temperature).numpy())


def _interpolated(model: keras.Model, flags: SampleConfig, given: Given) -> _Batches:
    first, last = given.sequences
    # All at once; see `_varied`.
    most = _MOST_NUMBERS // (8 * max(len(first), len(last)) * model.config.vocab_size)
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


def _batches(flags: SampleConfig, numbers: int, particles: int) -> list[tuple[int, tf.Tensor]]:
    """The rows and the seed of each batch of similar size, with as many rows as memory allows.

    Args:
      flags: The flags of `train.sample`.
      numbers: Numbers per particle.
      particles: Particles per row.
    """
    most = _MOST_NUMBERS // numbers  # Particles at once.
    if particles > _MOST_OF_ONE * most:
        refuse_flag("particles", f"at most {_MOST_OF_ONE * most} here", particles)
    most = max(1, most // particles)
    count = -(-flags.num // most)
    parts = np.array_split(np.arange(flags.num), count)
    return [(len(part), tf.constant([flags.seed, k], tf.int32)) for k, part in enumerate(parts)]


def _copies(sequence: np.ndarray, rows: int) -> np.ndarray:
    return np.repeat(sequence[None], rows, axis=0)
