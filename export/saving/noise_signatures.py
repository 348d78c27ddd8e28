"""The functions of a served flow that return and take its noise: `encode` and `decode`."""

from __future__ import annotations

import keras
import tensorflow as tf

from bijectors.masks import mask_steps
from export.saving.byte_strings import FLOAT_BYTES, pack_floats, unpack_floats
from export.saving.codec import Codec, fitting
from export.saving.request_noise import scoring_noise

__all__ = ["NOISE", "NoiseFunctions"]

NOISE = "noise_bytes"
"""Name of the noise in requests and answers."""


class NoiseFunctions:
    """Computes the noise `eps [T, H]` of sequences, and the sequences of noise.

        encode: eps = f^-1(mean of q(z | x, T); T)
        decode: x[t] = the most likely symbol of p(x[t] | z, T) at z = f(eps; T)

    Noise is a string of `4 H` bytes per step; see `export.saving.byte_strings`. Every row gets an
    answer, which is empty for invalid input.

    Args:
      model: A `LatentFlow`.
      codec: Converts between its sequences and strings.
      max_length: Maximum length of a sequence, at most that of the model.
    """

    def __init__(self, model: keras.Model, codec: Codec, max_length: int) -> None:
        self._model = model
        self._codec = codec
        self._max_length = max_length

    def encode(self, strings: tf.Tensor) -> dict[str, tf.Tensor]:
        """The noise of sequences; empty for input that is empty, too long or malformed."""
        x, lengths, _, _ = self._codec.encode(strings)
        mean, _ = self._model.encode(x, lengths)
        eps, _ = self._model.prior.inverse_and_log_det(mean, lengths)
        return {NOISE: pack_floats(eps, lengths), "num_steps": lengths}

    def decode(self, strings: tf.Tensor) -> dict[str, tf.Tensor]:
        """The sequences of noise; empty for noise that is empty, too long, malformed or not finite.

        A sequence has as many steps as its noise.
        """
        model, size = self._model, self._model.config.latent_size
        num_bytes = tf.strings.length(strings)
        whole = tf.equal(num_bytes % (FLOAT_BYTES * size), 0)
        counts = tf.where(whole, num_bytes // (FLOAT_BYTES * size), 0)
        lengths, num_steps = fitting(counts, self._max_length)
        eps = unpack_floats(strings, size, num_steps)
        finite = tf.reduce_all(tf.math.is_finite(eps), axis=[1, 2])
        lengths = tf.where(finite, lengths, 0)
        with model.executing(sweep_dimensions=True):
            z, _ = model.prior.forward_and_log_det(mask_steps(eps, lengths), lengths)
        x = model.emit(z, lengths, 0.0, scoring_noise())  # No noise is drawn at temperature 0.
        return {self._codec.field: self._codec.decode(x, lengths), "num_steps": lengths}
