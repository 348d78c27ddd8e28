"""What the latent flow and the baseline share: a distribution over ragged sequences."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf

from bijectors import Execution, ExecutionOwner
from bijectors.masks import mask_steps
from tf_latentflow.config import ModelConfig
from tf_latentflow.config.choices import EMISSIONS
from tf_latentflow.interfaces.given_interface import GivenInterface
from tf_latentflow.interfaces.inputs import (
    as_batch,
    as_count,
    as_lengths,
    as_temperature,
    longest,
    rounded_steps,
)
from tf_latentflow.interfaces.keras_interface import KerasInterface
from tf_latentflow.layer import floatx_of, usable_floatx
from tf_latentflow.length_model import LengthModel
from tf_latentflow.networks.positions import Positions
from tf_latentflow.noise import Seed, noise_of
from tf_latentflow.terms import Terms

__all__ = ["SequenceModel", "sum_steps"]


class SequenceModel(ExecutionOwner, GivenInterface, KerasInterface, keras.Model):
    """`p(x, T) = p(T) p(x | T)` over sequences of symbols or chords.

    Everything is batch-major. `x` is `[B, T, *event_shape]` of any integer dtype: ids `[B, T]` or,
    for notes, 0 and 1 `[B, T, 88]`. `lengths` is int32 `[B]`, each from 0 to T. Others are refused,
    in a `tf.function` when it runs; one that XLA compiles cannot check them. Values of `x` beyond a
    length have no effect, but must be valid. A subclass defines `p(x | T)` by `elbo_by_step`,
    `_estimate` and `_sample`.

    A seed is a whole number or a pair of them, and the same seed gives the same result. None, the
    default, gives a new result at every call, also within a `tf.function`;
    `keras.utils.set_random_seed` makes the calls repeat. As for all of TensorFlow's random numbers,
    a `tf.function` takes that seed when it is traced: one that was traced before does not repeat,
    and one that was traced with another seed keeps it. A `NoiseSource` may replace the seed.

    `execution`, which can be set at any time, determines how the model is computed. Its numbers
    have the dtype `keras.config.floatx()`, which must be float32 or float64.

    Args:
      config: Choices and sizes.
      name: Name of the model.

    Example:
      >>> from tf_latentflow import ModelConfig, SequenceModel, build_model
      >>> model = build_model(ModelConfig.from_name("codebook", preset="tiny", vocab_size=5))
      >>> isinstance(model, SequenceModel)
      True
      >>> x, lengths = tf.constant([[2, 3, 4], [4, 2, 0]]), tf.constant([3, 2])
      >>> model.log_likelihood(x, lengths, num_samples=3, seed=[0, 0]).shape
      TensorShape([2])
    """

    def __init__(self, config: ModelConfig, name: str) -> None:
        super().__init__(name=name, dtype=usable_floatx())
        self.config = config
        self.length_model = LengthModel(config.max_length)
        size = config.hidden_size if config.has_embedding else None
        self.symbols = EMISSIONS[config.emission](config.vocab_size, size)
        self._traced = functools.cache(self._trace)

    def _graph(self, function: Callable) -> Callable:
        """A function of the model as a graph, made once for each execution."""
        return self._traced(function, self.execution, reduce_retracing=True)

    def _compiled(self, function: Callable) -> Callable:
        """A function of the model that XLA compiles, made once for each execution."""
        return self._traced(function, self.execution, jit_compile=True)

    def _trace(self, function: Callable, execution: Execution, **options: bool) -> Callable:
        # AutoGraph would read all code again: no control flow here is Python's.
        return tf.function(types.MethodType(function, self), autograph=False, **options)

    def get_config(self) -> dict[str, Any]:
        return {"config": self.config.to_dict(), "name": self.name, "dtype": self.compute_dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        with floatx_of(config.get("dtype")):
            return cls(ModelConfig.from_dict(config["config"]), name=config["name"])

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of the observation of one step: `()` for a symbol, `(88,)` for notes."""
        return self.symbols.event_shape

    def _batch_of(self, x: Any, lengths: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """`as_batch` for this model, whose symbols are checked too."""
        x, lengths = as_batch(x, lengths, self.event_shape)
        x = self._within(x, lengths)
        if tf.executing_eagerly():  # In a graph the values are not known.
            self.symbols.check(x)
        return x, lengths

    def _within(self, x: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """`x [B, T, *event_shape]` with zeros beyond each length."""
        return mask_steps(x, lengths, len(self.event_shape))

    def _rounded(self, num_steps: int) -> int:
        """The steps of a compiled function, of which few numbers occur."""
        return rounded_steps(num_steps, self.config.max_length)

    def _limit(self) -> tf.Tensor:
        """Number of position codes seen in training."""
        return tf.convert_to_tensor(self.length_model.longest)

    def _positions(self, lengths: tf.Tensor, num_steps: int | tf.Tensor) -> Positions:
        return Positions.of(lengths, num_steps, self._limit())

    def __call__(self, x: Any, lengths: Any = None, training: bool = False) -> Terms:
        """The ELBO of one new sample."""
        if lengths is None:
            raise ValueError("expected model(x, lengths), the lengths of the rows; got x alone")
        return super().__call__(*self._batch_of(x, lengths), training=training)

    def call(self, x: tf.Tensor, lengths: tf.Tensor, training: bool = False) -> Terms:
        """The ELBO of one sample."""
        return self.elbo(x, lengths, training=training)

    def elbo(
        self,
        x: tf.Tensor,
        lengths: tf.Tensor,
        num_samples: int = 1,
        seed: Seed = None,
        training: bool = False,
    ) -> Terms:
        """The terms of the ELBO at `num_samples` reparametrised samples of z, nats `[S, B]`.

        The baseline has no latents: its `log_prob` is exact, its KL 0 and its S 1.

        Args:
          x: See the class.
          lengths: See the class.
          num_samples: S.
          seed: See the class.
          training: Whether to apply dropout.
        """
        return sum_steps(self.elbo_by_step(x, lengths, num_samples, seed, training))

    def elbo_by_step(
        self,
        x: tf.Tensor,
        lengths: tf.Tensor,
        num_samples: int = 1,
        seed: Seed = None,
        training: bool = False,
    ) -> Terms:
        """The contribution of each step to `elbo`, nats `[S, B, T]`, 0 beyond each length."""
        raise NotImplementedError

    def estimate(
        self,
        x: tf.Tensor,
        lengths: tf.Tensor,
        num_samples: int = 50,
        seed: Seed = None,
        most_at_once: int = 10,
    ) -> Terms:
        """Estimates `log p(x | T)`, nats `[B]`, or computes it if the model can. See `Terms`.

        An eager call runs as a graph, traced once for each number of samples.

        Args:
          x: See the class.
          lengths: See the class.
          num_samples: K.
          seed: See the class.
          most_at_once: Maximum number of samples per sequence that pass through the model together.
            Larger is faster and takes more memory.
        """
        num_samples = as_count("num_samples", num_samples)
        most_at_once = as_count("most_at_once", most_at_once)
        x, lengths = self._batch_of(x, lengths)
        noise = noise_of(seed, tf.shape(lengths)[0])
        eager = tf.executing_eagerly()
        estimate = self._graph(type(self)._estimate) if eager else self._estimate
        return estimate(x, lengths, num_samples, noise, most_at_once)

    def log_likelihood(
        self, x: tf.Tensor, lengths: tf.Tensor, num_samples: int = 50, seed: Seed = None
    ) -> tf.Tensor:
        """`log p(x, T) = log p(x | T) + log p(T)`, estimated or exact, nats `[B]`."""
        log_prob = self.estimate(x, lengths, num_samples, seed).log_prob
        return log_prob + self.length_model.log_prob(lengths)

    def sample(
        self,
        lengths: tf.Tensor,
        temperature: float | tf.Tensor = 1.0,
        seed: Seed = None,
        num_steps: int | tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Draws sequences of the given lengths.

        An eager call is compiled with XLA, once for each batch size and power of two of steps. That
        takes seconds.

        Args:
          lengths: int32 `[B]`. The model has not been trained on more than `max_length` steps.
          temperature: t, from 0 to 1000: `eps ~ N(0, t^2)`, and logits are divided by t; 0 takes
            eps = 0 and the most likely symbols. A number, or `[B, 1, 1]` for one per sequence.
          seed: See the class.
          num_steps: T, at least the maximum length, which is the default.

        Returns:
          int32 `[B, T, *event_shape]`, 0 beyond each length.

        Raises:
          ValueError: A length or the temperature is out of range.
        """
        lengths = as_lengths(lengths, num_steps)
        temperature = as_temperature(temperature, self.compute_dtype, lengths)
        noise = noise_of(seed, tf.shape(lengths)[0])
        if tf.executing_eagerly():
            num_steps = int(np.max(lengths, initial=0)) if num_steps is None else int(num_steps)
            sample, rounded = self._compiled(type(self)._sample), self._rounded(num_steps)
            return sample(lengths, temperature, noise, rounded)[:, :num_steps]
        num_steps = longest(lengths) if num_steps is None else num_steps
        return self._sample(lengths, temperature, noise, num_steps)


def sum_steps(by_step: Terms) -> Terms:
    """The terms of sequences from those of their steps: from `[..., T]` to `[...]`."""
    return Terms(*(tf.reduce_sum(term, axis=-1) for term in by_step))
