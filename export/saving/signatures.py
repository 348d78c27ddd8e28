"""The functions of a served model, which docs/SERVING.md describes."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from export.saving.byte_strings import pack_floats
from export.saving.codec import Codec
from export.saving.noise_signatures import NOISE, NoiseFunctions
from export.saving.options import ExportOptions
from export.saving.request_noise import CONTINUATION, POSTERIOR, request_noise, scoring_noise
from export.saving.samplers import make_sampler
from tf_latentflow.config import MAX_TEMPERATURE

__all__ = ["Endpoint"]

_SCORE_AT_ONCE = 5  # Importance samples computed together, to leave room for other requests.


class Endpoint(tf.Module):
    """A model as functions of strings and numbers, each input and output `[B]`.

    The response to a row depends on that row alone. Every row gets a response, because an error in
    one row would fail its neighbours in a server that batches requests.

    Args:
      model: A `LatentFlow` or an `LSTMLanguageModel`.
      codec: Converts between its sequences and strings.
      options: Settings of the export.
    """

    def __init__(self, model: keras.Model, codec: Codec, options: ExportOptions) -> None:
        super().__init__(name="endpoint")
        # Only the objects used by these functions are saved, not the model's own functions.
        self._model = _Untracked(model)
        self._draw = _Untracked(make_sampler(model, options.xla))
        self._codec = codec
        self._options = options

    def signatures(
        self, show: Callable[[str], None] = lambda what: None
    ) -> dict[str, tf.types.experimental.ConcreteFunction]:
        """The traced functions by name, including `serving_default`.

        Args:
          show: Called with the name of each before it is traced.
        """
        field = self._codec.field
        length = tf.TensorSpec([None], tf.int32, name="length")
        seed = tf.TensorSpec([None], tf.int64, name="seed")
        temperature = tf.TensorSpec([None], tf.float32, name="temperature")
        string = tf.TensorSpec([None], tf.string, name=field)
        functions = {
            "generate": (self._generate, length, seed, temperature),
            "score": (self._score, string),
            "score_steps": (self._score_steps, string),
            "describe": (self._describe, tf.TensorSpec([None], tf.int32, name="row")),
        }
        if self._model.value.config.is_causal:
            functions["complete"] = (self._complete, string, length, seed, temperature)
        if self._model.value.config.is_flow:
            noise = NoiseFunctions(self._model.value, self._codec, self._options.max_length)
            functions["reconstruct"] = (self._reconstruct, string, seed)
            functions["encode"] = (noise.encode, string)
            functions["decode"] = (noise.decode, tf.TensorSpec([None], tf.string, name=NOISE))
        traced = {}
        for name, (function, *specs) in functions.items():
            show(f"tracing {name}")
            traced[name] = _trace(function, *specs)
        # Everything to be saved must be reachable from here.
        self._variables_used = [list(function.graph.variables) for function in traced.values()]
        return {"serving_default": traced["generate"], **traced}

    def _generate(
        self, length: tf.Tensor, seed: tf.Tensor, temperature: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Sequences of given lengths; an invalid length or temperature gives an empty one."""
        possible = (temperature >= 0) & (temperature <= MAX_TEMPERATURE)
        lengths = tf.clip_by_value(length, 0, self._options.max_length)
        lengths = tf.where(possible, lengths, 0)
        x = self._draw.value(lengths, seed, tf.where(possible, temperature, 0.0))
        return {self._codec.field: self._codec.decode(x, lengths), "num_steps": lengths}

    def _complete(
        self, strings: tf.Tensor, length: tf.Tensor, seed: tf.Tensor, temperature: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Sequences with given beginnings; a length of 0 or less is drawn.

        An impossible beginning, length or temperature gives an empty sequence.
        """
        model = self._model.value
        x, begun, _, _ = self._codec.encode(strings)
        wanted = tf.clip_by_value(length, 0, self._options.max_length)
        possible = (temperature >= 0) & (temperature <= MAX_TEMPERATURE) & (begun > 0)
        possible &= tf.where(wanted > 0, wanted, self._options.max_length) > begun
        with model.executing(sweep_dimensions=True):
            x, lengths = model.complete(
                x,
                tf.where(possible, begun, 0),
                tf.where(possible, wanted, 1),
                self._options.particles,
                tf.where(possible, temperature, 0.0)[:, None, None],
                request_noise(seed).fold(CONTINUATION),
            )
        lengths = tf.where(possible, tf.minimum(lengths, self._options.max_length), 0)
        return {self._codec.field: self._codec.decode(x, lengths), "num_steps": lengths}

    def _score(self, strings: tf.Tensor) -> dict[str, tf.Tensor]:
        """`log p(x, T)` in nats; NaN for empty, too long or malformed input."""
        x, lengths, counts, num_unknown = self._codec.encode(strings)
        model = self._model.value
        samples = self._options.score_samples
        estimate = model.estimate(x, lengths, samples, scoring_noise(), _SCORE_AT_ONCE)
        log_prob = estimate.log_prob + model.length_model.log_prob(lengths)
        log_prob = tf.where(lengths > 0, log_prob, math.nan)
        per_symbol = -log_prob / tf.cast(lengths + 1, log_prob.dtype)
        if self._codec.field == "text":
            return {
                "log_likelihood": log_prob,
                "bits_per_character": per_symbol / math.log(2),
                "num_characters": counts,
                "num_unknown": num_unknown,
            }
        return {"log_likelihood": log_prob, "nats_per_step": per_symbol, "num_steps": counts}

    def _score_steps(self, strings: tf.Tensor) -> dict[str, tf.Tensor]:
        """The terms of each step and of the length in a bound of `-log p(x, T)`.

        They are exact for the baseline; bits for text, nats for music. Input without a score gives
        no terms and NaN.
        """
        x, lengths, _, _ = self._codec.encode(strings)
        model = self._model.value
        samples = min(self._options.score_samples, _SCORE_AT_ONCE)
        by_step = model.elbo_by_step(x, lengths, samples, scoring_noise()).log_prob
        steps = -tf.reduce_mean(by_step, axis=0)
        of_length = tf.where(lengths > 0, -model.length_model.log_prob(lengths), math.nan)
        unit, size = ("bits", math.log(2)) if self._codec.field == "text" else ("nats", 1.0)
        return {
            f"{unit}_bytes": pack_floats(steps[:, :, None] / size, lengths),
            f"length_{unit}": of_length / size,
        }

    def _describe(self, row: tf.Tensor) -> dict[str, tf.Tensor]:
        """The sizes of this model and its vocabulary, the same for every row."""
        config = self._model.value.config
        described = {
            "max_length": self._options.max_length,
            "noise_size": config.latent_size if config.is_flow else 0,
        }
        if self._codec.field == "text":
            described["characters"] = "".join(config.vocabulary)
        return {name: tf.fill(tf.shape(row), value) for name, value in described.items()}

    def _reconstruct(self, strings: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """The most likely symbols at a sample of `q(z | x, T)`; empty if the input has no score."""
        x, lengths, _, _ = self._codec.encode(strings)
        x = self._model.value.reconstruct(x, lengths, request_noise(seed).fold(POSTERIOR))
        return {self._codec.field: self._codec.decode(x, lengths)}


class _Untracked:
    """Hides an object from `tf.Module`, which would save it."""

    def __init__(self, value: object) -> None:
        self.value = value


def _trace(
    function: Callable[..., dict[str, tf.Tensor]], *specs: tf.TensorSpec
) -> tf.types.experimental.ConcreteFunction:
    """Traces a function of inputs `[B]`; at run time, inputs of different sizes are rejected."""
    names = [spec.name for spec in specs]

    @functools.wraps(function)
    def checked(*columns: tf.Tensor) -> dict[str, tf.Tensor]:
        if len(columns) == 1:
            return function(*columns)
        with tf.control_dependencies([_refuse_unequal(names, columns)]):
            columns = [tf.identity(column) for column in columns]
        return function(*columns)

    return tf.function(checked, input_signature=specs, autograph=False).get_concrete_function()


def _refuse_unequal(names: Sequence[str], columns: Sequence[tf.Tensor]) -> tf.Operation:
    """Fails with INVALID_ARGUMENT, naming the sizes, if columns have different sizes."""
    sizes = tf.stack([tf.size(column) for column in columns])
    said = tf.strings.join(
        [
            tf.strings.join([name, tf.strings.as_string(size)], " ")
            for name, size in zip(names, tf.unstack(sizes), strict=True)
        ],
        ", ",
    )
    return tf.raw_ops.Assert(
        condition=tf.reduce_all(sizes == sizes[0]),
        data=[tf.strings.join(["inputs of unequal length: ", said])],
    )
