"""Evaluates a model on a split: the shapes of its batches, and the terms of each sequence."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from tf_latentflow import Noise, Terms
from train.engine.buckets import Batch, Buckets, default_boundaries, lengths_of
from train.engine.evaluation import evaluate
from train.engine.split_terms import SplitTerms
from train.engine.workers.team import ALONE, Team

__all__ = ["SplitEvaluation", "batch_spec"]


def batch_spec(
    sequences: Sequence[np.ndarray], batch_size: int, max_steps: int = 0
) -> tuple[tf.TensorSpec, tf.TensorSpec, tf.TensorSpec]:
    """Specs of x, lengths and index for all batches of these sequences.

    The time axis has size None. So has the batch axis if `max_steps` makes it vary.
    """
    rows = None if max_steps else batch_size
    return (
        tf.TensorSpec([rows, None, *sequences[0].shape[1:]], sequences[0].dtype),
        tf.TensorSpec([rows], tf.int32),
        tf.TensorSpec([rows], tf.int32),
    )


class SplitEvaluation:
    """Computes the terms of splits batch by batch; traced once for all lengths.

    The samples of z depend only on the seed and the place of the sequence in the split.
    """

    def __init__(
        self,
        model: keras.Model,
        num_samples: int,
        batch_size: int,
        *,
        importance: bool,
        max_batch_steps: int = 0,
        team: Team = ALONE,
    ) -> None:
        """Makes the function; traces nothing yet.

        Args:
          model: A model with `elbo`, `estimate` and `length_model`.
          num_samples: Samples of z per sequence.
          batch_size: Maximum number of sequences per batch.
          importance: If true, `log_prob` is the importance-sampled estimate; otherwise the ELBO,
            which is several times faster.
          max_batch_steps: Maximum number of time steps per batch, including padding; 0 for no
            limit.
          team: The processes that share the batches.
        """
        self._team = team
        self._model = model
        self._num_samples = num_samples
        self._batch_size = batch_size
        self._max_steps = max_batch_steps
        self._importance = importance
        self._compiled: Callable[..., Terms] | None = None

    def terms(self, x: tf.Tensor, lengths: tf.Tensor, index: tf.Tensor, seed: tf.Tensor) -> Terms:
        """Terms of each sequence of a batch, `[B]`; the seed is int32 `[2]`."""
        noise = Noise(seed, index)
        if self._importance:
            return self._model.estimate(x, lengths, self._num_samples, noise)
        elbo = self._model.elbo(x, lengths, self._num_samples, noise)
        return Terms(*(tf.reduce_mean(term, axis=0) for term in elbo))

    def __call__(
        self,
        sequences: Sequence[np.ndarray],
        seed: int,
        progress: Callable[[int, int], None] | None = None,
    ) -> SplitTerms:
        """Returns the terms of a split.

        Args:
          sequences: Arrays `[T, ...]`.
          seed: Seed of the samples.
          progress: See `evaluate`.
        """
        if self._compiled is None:
            spec = batch_spec(sequences, self._batch_size, self._max_steps)
            signature = (*spec, tf.TensorSpec([2], tf.int32))
            self._compiled = tf.function(self.terms, input_signature=signature, autograph=False)
        seeds = tf.constant([seed, 0], tf.int32)

        def start(batch: Batch) -> Terms:
            return self._compiled(*map(tf.constant, batch), seeds)

        def log_length(lengths: np.ndarray) -> np.ndarray:
            return self._model.length_model.log_prob(tf.constant(lengths)).numpy()

        lengths = lengths_of(sequences)
        return evaluate(
            sequences,
            # One trace serves all shapes, but loops are compiled for each.
            Buckets(default_boundaries(lengths), self._batch_size, self._max_steps),
            start,
            log_length,
            progress=progress,
            team=self._team,
        )
