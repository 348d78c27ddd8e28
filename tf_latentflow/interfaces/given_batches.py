"""Sequences made from given ones, in batches that fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tf_latentflow.interfaces.batches import batches, checked_lengths, padded
from tf_latentflow.interfaces.inputs import as_count
from tf_latentflow.noise import seed_of

__all__ = [
    "GivenBatches",
    "TooManyParticles",
    "complete_batches",
    "fill_in_batches",
    "vary_batches",
]

_MOST_NUMBERS = 2**25  # Of all particles of a batch: 128 MB.
_MOST_OF_ONE = 16  # Times as many that a single sequence may have: 2 GB.

# The indices of sequences, and what is made of each: int32 `[T, ...]`.
GivenBatches = Iterator[tuple[np.ndarray, list[np.ndarray]]]


class TooManyParticles(ValueError):
    """The particles of one sequence do not fit into memory.

    Attributes:
      most: The greatest number of particles that do.
    """

    def __init__(self, most: int, got: int) -> None:
        super().__init__(f"expected num_particles of at most {most} for these lengths; got {got}")
        self.most = most


def complete_batches(
    model: Any,
    sequences: Sequence[np.ndarray],
    lengths: int | Sequence[int] | None,
    num_particles: int,
    temperature: float,
    seed: int | None,
) -> GivenBatches:
    """Continues sequences, as `complete` does.

    Args:
      model: A `SequenceModel`.
      sequences: The beginnings: ids `[T]` or rolls `[T, V]`.
      lengths: T of all, or of each; None draws it.
      num_particles: See `complete`.
      temperature: See `complete`.
      seed: The same seed gives the same result, whatever the batches; None a new one at every call.

    Raises:
      ValueError: An argument is invalid; a `TooManyParticles` for particles beyond memory.
    """
    wanted = np.zeros([len(sequences)], np.int32)
    if lengths is not None:
        wanted = checked_lengths(lengths, len(sequences), model.config.max_length)
    # Only an emitter that reads one step can do without the rest of every particle.
    if model.config.is_flow and model.emitter.reads_one_step:
        steps = max(map(len, sequences), default=1)
    else:
        steps = model.config.max_length if lengths is None else int(np.max(wanted, initial=1))
    rows = _rows(model, steps, num_particles)

    def make(indices: np.ndarray, x: Any, sizes: Any, noise: Any) -> Any:
        return model.complete(x, sizes, wanted[indices], num_particles, temperature, noise)

    return _made(sequences, rows, seed, make)


def fill_in_batches(
    model: Any,
    sequences: Sequence[np.ndarray],
    given: Sequence[np.ndarray],
    num_particles: int,
    sweeps: int,
    temperature: float,
    seed: int | None,
) -> GivenBatches:
    """Draws what is missing in sequences, as `fill_in` does.

    Args:
      model: A latent flow.
      sequences: Ids `[T]` or rolls `[T, V]`.
      given: Bool, of the shape of each sequence: what is kept.
      num_particles: See `fill_in`.
      sweeps: See `fill_in`.
      temperature: See `fill_in`.
      seed: See `complete_batches`.

    Raises:
      ValueError: As for `complete_batches`.
    """
    found, expected = ([np.shape(a) for a in arrays] for arrays in (given, sequences))
    if found != expected:
        raise ValueError(f"expected given of the shapes {expected}; got {found}")
    rows = _rows(model, max(map(len, sequences), default=1), num_particles)

    def make(indices: np.ndarray, x: Any, sizes: Any, noise: Any) -> Any:
        keep, _ = padded([np.asarray(given[i], bool) for i in indices])
        # What is beyond a length is not missing.
        keep |= (np.arange(keep.shape[1]) >= sizes[:, None]).reshape(
            [*keep.shape[:2], *[1] * (keep.ndim - 2)]
        )
        return model.fill_in(x, sizes, keep, num_particles, sweeps, temperature, noise), sizes

    return _made(sequences, rows, seed, make)


def vary_batches(
    model: Any, sequences: Sequence[np.ndarray], amount: float, temperature: float, seed: int | None
) -> GivenBatches:
    """Varies sequences through their latents, as `vary` does; see `complete_batches`."""

    def make(indices: np.ndarray, x: Any, sizes: Any, noise: Any) -> Any:
        return model.vary(x, sizes, amount, noise, temperature), sizes

    rows = _rows(model, max(map(len, sequences), default=1), 1)
    return _made(sequences, rows, seed, make)


def _rows(model: Any, steps: int, num_particles: int) -> int:
    """The number of sequences that fit into memory together, each with so many steps and particles.

    Raises:
      TooManyParticles: Not even one does.
    """
    numbers = steps * model.config.vocab_size  # Of a particle.
    num_particles = as_count("num_particles", num_particles)
    most_of_one = _MOST_OF_ONE * _MOST_NUMBERS // numbers
    if num_particles > most_of_one:
        raise TooManyParticles(most_of_one, num_particles)
    return max(1, _MOST_NUMBERS // (numbers * num_particles))


def _made(
    sequences: Sequence[np.ndarray], rows: int, seed: Any, make: Callable[..., Any]
) -> GivenBatches:
    """What `make` makes of a batch of sequences, their lengths and the noise, for all batches."""
    for indices, x, sizes, noise in batches(sequences, seed_of(seed), rows):
        drawn, lengths = make(indices, x, sizes, noise)
        pairs = zip(np.asarray(drawn), np.asarray(lengths), strict=True)
        yield indices, [row[:length] for row, length in pairs]
