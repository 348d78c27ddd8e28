"""A model of text that needs no training, as far as the page can tell: quick to write and to load.

Its noise is two numbers a step, and a step's character is the rounded sum of all numbers up to it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import tensorflow as tf

from export.saving.byte_strings import pack_floats, unpack_floats
from export.saving.codec import fitting
from export.saving.text_codec import TextCodec, write_vocabulary

__all__ = ["write_small_model"]

_SIZE = 2
_FIRST = 2  # The first id of a character.


class _Model(tf.Module):
    def __init__(self, vocabulary: Path, characters: tuple[str, ...], longest: int) -> None:
        super().__init__()
        self.codec = TextCodec(vocabulary, longest)
        self._characters, self._longest = "".join(characters), longest

    def _texts(self, eps: tf.Tensor, lengths: tf.Tensor) -> dict[str, tf.Tensor]:
        sums = tf.cast(tf.round(tf.cumsum(tf.reduce_sum(eps, axis=2), axis=1)), tf.int32)
        ids = _FIRST + tf.math.floormod(sums, len(self._characters))
        return {"text": self.codec.decode(ids, lengths), "num_steps": lengths}

    def describe(self, row: tf.Tensor) -> dict[str, tf.Tensor]:
        told = {"max_length": self._longest, "noise_size": _SIZE, "characters": self._characters}
        return {name: tf.fill(tf.shape(row), value) for name, value in told.items()}

    def generate(
        self, length: tf.Tensor, seed: tf.Tensor, temperature: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        steps = tf.range(self._longest, dtype=tf.float32)[None, :, None]
        eps = 3 * tf.sin(tf.cast(seed, tf.float32)[:, None, None] + steps)
        eps = tf.repeat(eps * temperature[:, None, None], _SIZE, axis=2)
        return self._texts(eps, tf.clip_by_value(length, 0, self._longest))

    def complete(
        self, text: tf.Tensor, length: tf.Tensor, seed: tf.Tensor, temperature: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        begun = tf.strings.length(text, unit="UTF8_CHAR")
        rest = self.generate(length - begun, seed, temperature)["text"]
        return {"text": text + rest, "num_steps": length}

    def score_steps(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        x, lengths, _, _ = self.codec.encode(text)
        bits = pack_floats(1.5 * tf.cast(x, tf.float32)[:, :, None], lengths)
        return {"bits_bytes": bits, "length_bits": tf.zeros_like(lengths, tf.float32)}

    def encode(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        x, lengths, _, _ = self.codec.encode(text)
        before = tf.pad(x[:, :-1], [[0, 0], [1, 0]], constant_values=_FIRST)
        half = tf.cast(x - before, tf.float32)[:, :, None] / _SIZE
        return {
            "noise_bytes": pack_floats(tf.repeat(half, _SIZE, 2), lengths),
            "num_steps": lengths,
        }

    def decode(self, noise_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        counts = tf.strings.length(noise_bytes) // (4 * _SIZE)
        lengths, num_steps = fitting(counts, self._longest)
        return self._texts(unpack_floats(noise_bytes, _SIZE, num_steps), lengths)


def write_small_model(base: Path, characters: tuple[str, ...], longest: int) -> Path:
    """Writes version 1 of it and returns `base`."""
    length, seed = tf.TensorSpec([None], tf.int32), tf.TensorSpec([None], tf.int64)
    string, temperature = tf.TensorSpec([None], tf.string), tf.TensorSpec([None], tf.float32)
    drawn = {"length": length, "seed": seed, "temperature": temperature}
    inputs = {
        "describe": {"row": length},
        "generate": drawn,
        "complete": {"text": string, **drawn},
        "score_steps": {"text": string},
        "encode": {"text": string},
        "decode": {"noise_bytes": string},
    }
    with tempfile.TemporaryDirectory() as folder:
        vocabulary = Path(folder, "vocabulary.txt")
        write_vocabulary(vocabulary, characters)
        model = _Model(vocabulary, characters, longest)
        signatures = {
            name: tf.function(getattr(model, name)).get_concrete_function(
                **{key: tf.TensorSpec(spec.shape, spec.dtype, key) for key, spec in specs.items()}
            )
            for name, specs in inputs.items()
        }
        tf.saved_model.save(model, str(base / "1"), signatures)
    return base
