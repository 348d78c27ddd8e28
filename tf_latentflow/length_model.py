"""p(T): the histogram of the lengths in the training split, with its gaps smoothed."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tf_latentflow.interfaces.batches import checked_lengths
from tf_latentflow.interfaces.inputs import as_count, as_int32
from tf_latentflow.layer import Layer
from tf_latentflow.noise import seed_of

__all__ = ["LengthModel"]

_SHARED_COUNT = 0.05  # Of all lengths together, so that each has a probability.


class LengthModel(Layer):
    """`p(T) = (n'[T] + 0.05 / max_length) / (N + 0.05)` for T = 1 .. max_length.

    `n'` is the histogram `n` of the N lengths seen, smoothed: each length seen shares one of its
    counts evenly with the unseen lengths just below it, down to the next length seen. On average,
    there is the same mass between any two neighbours in a sorted sample, near or far. If
    every length was seen, `n' = n`. All lengths beyond the longest seen have at most 0.05 counts
    together: less than one sample in a thousand for N >= 50. Before `fit`, p(T) is uniform.

    Args:
      max_length: Longest length with a probability above 0.
      name: Name of the layer.

    Example:
      >>> from tf_latentflow import LengthModel
      >>> lengths = LengthModel(max_length=4)
      >>> lengths.fit([1, 3, 3])  # One count of length 3 is shared with the unseen length 2.
      >>> tf.exp(lengths.log_prob([1, 2, 3, 4])).numpy().round(3).tolist()
      [0.3319999873638153, 0.1679999977350235, 0.4959999918937683, 0.004000000189989805]
    """

    def __init__(self, max_length: int, name: str = "length_model") -> None:
        super().__init__(name=name)
        self.max_length = as_count("max_length", max_length)
        self.counts = self.add_weight(
            (max_length,), "zeros", trainable=False, name="counts", dtype="float32"
        )
        self.longest = self.add_weight((), "zeros", trainable=False, name="longest", dtype="int32")
        self.longest.assign(max_length)
        self.built = True

    def fit(self, lengths: np.ndarray) -> None:
        """Counts `lengths`, int `[N]`, each from 1 to `max_length`.

        Raises:
          ValueError: There are no lengths, or one is out of range or not a whole number.
        """
        if np.size(lengths) == 0:
            raise ValueError("expected at least one length; got none")
        lengths = checked_lengths(lengths, np.size(lengths), self.max_length)
        self.counts.assign(np.bincount(lengths, minlength=self.max_length + 1)[1:])
        self.longest.assign(lengths.max())

    def _log_probs(self) -> tf.Tensor:
        counts = tf.cast(self.counts, self.compute_dtype)
        seen = tf.cast(counts > 0, counts.dtype)
        # A run is a length that was seen with the unseen ones just below it: as many seen before.
        run = tf.cast(tf.cumsum(seen, exclusive=True), tf.int32)
        sizes = tf.math.unsorted_segment_sum(tf.ones_like(seen), run, self.max_length + 1)
        ended = run < tf.cast(tf.reduce_sum(seen), tf.int32)  # Beyond the longest no run ends.
        shares = tf.where(ended, 1 / tf.gather(sizes, run), tf.zeros_like(counts))
        smoothed = counts - seen + shares + _SHARED_COUNT / self.max_length
        return tf.math.log(smoothed / (tf.reduce_sum(counts) + _SHARED_COUNT))

    def log_prob(self, lengths: tf.Tensor) -> tf.Tensor:
        """`log p(T)` in nats, of the shape of `lengths`; -inf outside 1 .. max_length."""
        lengths = as_int32(lengths)
        inside = (lengths >= 1) & (lengths <= self.max_length)
        log_probs = self._log_probs()
        values = tf.gather(log_probs, tf.clip_by_value(lengths - 1, 0, self.max_length - 1))
        return tf.where(inside, values, tf.constant(-np.inf, values.dtype))

    def sample(self, n: int, seed: int | tf.Tensor | None = None) -> tf.Tensor:
        """Draws lengths, int32 `[n]`. The same seed gives the same lengths; see `SequenceModel`."""
        n, seed = as_count("a number of lengths", n, least=0), seed_of(seed)
        draws = tf.random.stateless_categorical(self._log_probs()[None], n, seed, dtype=tf.int32)
        return draws[0] + 1

    def choose(self, uniform: tf.Tensor, longer_than: tf.Tensor) -> tf.Tensor:
        """Draws from `p(T | T > k)`, as a function of uniform random numbers.

        Args:
          uniform: Uniform on [0, 1), `[..., B]`.
          longer_than: k, int32 `[B]`, each below `max_length`.

        Returns:
          int32 `[..., B]`.
        """
        beyond = tf.range(1, self.max_length + 1) > longer_than[:, None]
        below = tf.cumsum(tf.where(beyond, tf.exp(self._log_probs()), 0.0), axis=-1)
        passed = below <= (uniform * below[:, -1])[..., None]
        lengths = 1 + tf.reduce_sum(tf.cast(passed, tf.int32), axis=-1)
        return tf.clip_by_value(lengths, longer_than + 1, self.max_length)
