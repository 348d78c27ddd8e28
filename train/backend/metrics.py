"""The metric protocol: importance-sampled likelihood of a split, per symbol, with its error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from train.backend.batches import batch_dataset, batch_spec
from train.engine.buckets import default_boundaries, make_batches
from train.engine.sums import Sums
from train.support.units import Unit

__all__ = ["SplitTerms", "evaluate_split"]


class SplitTerms:
    """Computes the terms of splits batch by batch; traced once for all lengths.

    Attributes:
      terms: The function that is traced: from x, lengths and a seed, int32 `[2]`, to `log_prob`,
        `reconstruction` and `kl` of each sequence, see `Sums`.
    """

    def __init__(
        self,
        model: keras.Model,
        num_samples: int,
        batch_size: int,
        *,
        importance: bool,
        max_batch_steps: int = 0,
    ) -> None:
        """Makes the function; traces nothing yet.

        Args:
          model: A model with `elbo`, `estimate` and `length_model`.
          num_samples: Samples of z for each sequence.
          batch_size: Sequences in a batch, or the most of them.
          importance: Whether `log_prob` is the importance-sampled estimate or, several times
            faster, the ELBO.
          max_batch_steps: Most time steps in a batch, padding included. 0: no limit.
        """
        self._model = model
        self._num_samples = num_samples
        self._batch_size = batch_size
        self._max_steps = max_batch_steps
        self.terms = self._estimate if importance else self._elbo
        self._compiled: Callable[..., tuple[tf.Tensor, ...]] | None = None

    def __call__(
        self,
        sequences: Sequence[np.ndarray],
        seed: int,
        progress: Callable[[int, int], None] | None = None,
    ) -> Sums:
        """Returns the terms of a split.

        Args:
          sequences: Arrays `[T, ...]`.
          seed: Of the samples; batch i of the split uses `(seed, i)`.
          progress: Told after each batch how many of how many sequences are done.
        """
        if self._compiled is None:
            spec = batch_spec(sequences, self._batch_size, self._max_steps)
            self._compiled = tf.function(
                self.terms, input_signature=(*spec, tf.TensorSpec([2], tf.int32)), autograph=False
            )
        lengths = np.array([len(sequence) for sequence in sequences], np.int32)
        size, limit = self._batch_size, self._max_steps
        # One trace serves all shapes. Without a limit the batches, and so the samples of z, are
        # what they always were.
        boundaries = np.unique(lengths) if limit else default_boundaries(lengths)
        batches = make_batches(lengths, size, boundaries, seed=0, epoch=None, max_steps=limit)
        dataset = batch_dataset(sequences, batches, size, boundaries, max_steps=limit)
        terms = np.zeros([3, len(sequences)])
        done = 0
        for i, (x, batch_lengths, index) in enumerate(dataset):
            values = self._compiled(x, batch_lengths, tf.constant([seed, i], tf.int32))
            index = index.numpy()
            real = index >= 0  # The other rows fill a short batch.
            terms[:, index[real]] = np.stack([value.numpy() for value in values])[:, real]
            done += int(real.sum())
            if progress:
                progress(done, len(sequences))
        log_length = self._model.length_model.log_prob(tf.constant(lengths))
        log_prob, reconstruction, kl = terms
        return Sums(lengths, log_prob, np.asarray(log_length, float), reconstruction, kl)

    def _elbo(self, x: tf.Tensor, lengths: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, ...]:
        elbo = self._model.elbo(x, lengths, num_samples=self._num_samples, seed=seed)
        reconstruction = tf.reduce_mean(elbo.reconstruction, axis=0)
        kl = tf.reduce_mean(elbo.kl, axis=0)
        return reconstruction - kl, reconstruction, kl

    def _estimate(self, x: tf.Tensor, lengths: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return tuple(self._model.estimate(x, lengths, num_samples=self._num_samples, seed=seed))


def evaluate_split(
    model: keras.Model,
    sequences: Sequence[np.ndarray],
    unit: Unit,
    *,
    has_latents: bool,
    num_samples: int,
    seed: int,
    batch_size: int,
    max_batch_steps: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Evaluates a model on a split.

    `nll = -(log p(x|T) + log p(T))` by importance sampling, summed over the split; the symbols of a
    sequence are `T + 1`, because a left-to-right model would pay for the end as well.

    Args:
      model: A model with `estimate` and `length_model`.
      sequences: Arrays `[T, ...]`.
      unit: Of the results; `bpc` stands for its name below.
      has_latents: False for a model without ELBO terms, which are then None.
      num_samples: Importance samples of each sequence.
      seed: Of the samples; batch i of the split uses `(seed, i)`.
      batch_size: Sequences in a batch, or the most of them.
      max_batch_steps: Most time steps in a batch, padding included. 0: no limit.
      progress: Told after each batch how many of how many sequences are done.

    Returns:
      `bpc` (nll over the symbols), `bpc_stderr` (of it, over sequences), `reconstruction_bpc` and
      `kl_bpc` (the two terms of the ELBO over the same symbols), `bpc_given_length`
      (`-log p(x|T)` over `sum(T)`), `num_sequences`, `num_samples` (1 where it is exact).
    """
    terms = SplitTerms(
        model, num_samples, batch_size, importance=True, max_batch_steps=max_batch_steps
    )
    report = terms(sequences, seed, progress).report(unit, has_latents)
    return {**report, "num_samples": num_samples if has_latents else 1}
