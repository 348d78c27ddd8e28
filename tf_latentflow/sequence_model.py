"""What the latent flow and the baseline have in common: a distribution over ragged sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Self

import keras
import numpy as np
import tensorflow as tf

from bijectors import products_are_in
from bijectors.masks import mask_steps
from tf_latentflow.compiled import loops_are_compiled
from tf_latentflow.config import ModelConfig
from tf_latentflow.keras_ways import KerasWays
from tf_latentflow.length_model import LengthModel
from tf_latentflow.networks.positions import Positions
from tf_latentflow.rows import EMISSIONS

__all__ = ["ELBO", "Estimate", "SequenceModel"]


class ELBO(NamedTuple):
    """The two terms of the bound for every sample and sequence, nats `[S, B]`.

    Attributes:
      reconstruction: `log p(x | z, T)`.
      kl: `log q(z | x, T) - log p(z | T)`, whose mean over z ~ q is the KL divergence.
    """

    reconstruction: tf.Tensor
    kl: tf.Tensor


class Estimate(NamedTuple):
    """An importance-sampling estimate for every sequence, nats `[B]`.

    Attributes:
      log_prob: `log p(x | T)`, `logsumexp_s(reconstruction - kl) - log S`.
      reconstruction: Mean of the first ELBO term over the samples.
      kl: Mean of the second.
    """

    log_prob: tf.Tensor
    reconstruction: tf.Tensor
    kl: tf.Tensor


class SequenceModel(KerasWays, keras.Model):
    """`p(x, T) = p(T) p(x | T)` over sequences of symbols or chords.

    Batch-major: `x` `[B, T, *event_shape]` of any integer dtype, that is `[B, T]` of ids or, for
    notes, `[B, T, 88]` of 0 and 1; `lengths` int32 `[B]`, rows of length 0 allowed. What stands in
    `x` beyond a length has no influence, as long as it is an id. Seeds are int32 `[2]` and
    stateless: the same seed gives the same result. A subclass says what `p(x | T)` is, by `elbo`,
    `_estimate` and `_sample`.

    Args:
      config: Choices and sizes.
      name: Name of the model.
    """

    def __init__(self, config: ModelConfig, name: str) -> None:
        # Keras would keep the dtype policy that the process used first.
        super().__init__(name=name, dtype=keras.config.floatx())
        self.config = config
        self.length_model = LengthModel(config.max_length)
        self.symbols = EMISSIONS[config.emission](config.vocab_size, config.hidden_size)
        # Without AutoGraph, which would read all code again: no control flow here is Python's.
        self._graph_estimate = _traced(self._estimate, reduce_retracing=True)
        self._compiled_sample = _traced(self._sample, jit_compile=True)

    def get_config(self) -> dict[str, Any]:
        return {"config": self.config.to_dict(), "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(ModelConfig.from_dict(config["config"]), name=config["name"])

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of what is observed at one step: `()` for a symbol, `(88,)` for notes."""
        return self.symbols.event_shape

    def _batch_of(self, x: Any, lengths: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """`x` and `lengths` as int32 tensors.

        Raises:
          ValueError: they are not a batch of sequences and its lengths.
        """
        x = tf.convert_to_tensor(x)
        if not x.dtype.is_integer:
            raise ValueError(f"expected x of integers; got {x.dtype.name}: cast it to int32")
        x, lengths = tf.cast(x, tf.int32), as_int32(lengths)
        expected = tf.TensorShape([*lengths.shape, None, *self.event_shape])
        if lengths.shape.rank != 1 or not x.shape.is_compatible_with(expected):
            dims = ", ".join(["B", "T", *map(str, self.event_shape)])
            raise ValueError(
                f"expected x [{dims}] and lengths [B]; got {x.shape} and {lengths.shape}"
            )
        check_lengths(lengths, x.shape[1])
        return x, lengths

    def _within(self, x: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """`x [B, T, *event_shape]`, 0 at and beyond each length."""
        return mask_steps(x, lengths, len(self.event_shape))

    def _limit(self) -> tf.Tensor:
        """Number of position codes seen in training."""
        return tf.convert_to_tensor(self.length_model.longest)

    def _positions(self, lengths: tf.Tensor, num_steps: int | tf.Tensor) -> Positions:
        return Positions.of(lengths, num_steps, self._limit())

    def __call__(self, x: Any, lengths: Any = None, training: bool = False) -> ELBO:
        """The ELBO of one sample, seed 0.

        Raises:
          ValueError: there are no lengths, or they do not fit x.
        """
        if lengths is None:
            raise ValueError(
                "expected model(x, lengths), the lengths of the rows of x; got x alone"
            )
        return super().__call__(*self._batch_of(x, lengths), training=training)

    def call(self, x: tf.Tensor, lengths: tf.Tensor, training: bool = False) -> ELBO:
        """The ELBO of one sample, seed 0."""
        return self.elbo(x, lengths, training=training)

    def elbo(
        self,
        x: tf.Tensor,
        lengths: tf.Tensor,
        num_samples: int = 1,
        seed: tf.Tensor = (0, 0),
        training: bool = False,
    ) -> ELBO:
        """A lower bound of `log p(x | T)`; see `ELBO`."""
        raise NotImplementedError

    def _estimate(
        self, x: tf.Tensor, lengths: tf.Tensor, num_samples: int, seed: tf.Tensor
    ) -> Estimate:
        raise NotImplementedError

    def _sample(
        self,
        lengths: tf.Tensor,
        temperature: tf.Tensor,
        seed: tf.Tensor,
        num_steps: int | tf.Tensor,
    ) -> tf.Tensor:
        raise NotImplementedError

    def estimate(
        self, x: tf.Tensor, lengths: tf.Tensor, num_samples: int = 50, seed: tf.Tensor = (0, 0)
    ) -> Estimate:
        """Estimates `log p(x | T)`; exact where the model allows it. See `Estimate`.

        Called eagerly it runs as a graph, traced once for each number of samples.
        """
        if num_samples < 1:
            raise ValueError(f"expected num_samples of at least 1; got {num_samples}")
        x, lengths = self._batch_of(x, lengths)
        return self._graph_estimate(x, lengths, num_samples, as_int32(seed))

    def log_likelihood(
        self, x: tf.Tensor, lengths: tf.Tensor, num_samples: int = 50, seed: tf.Tensor = (0, 0)
    ) -> tf.Tensor:
        """`log p(x, T) = log p(x | T) + log p(T)`, estimated or exact, nats `[B]`."""
        log_prob = self.estimate(x, lengths, num_samples, seed).log_prob
        return log_prob + self.length_model.log_prob(lengths)

    def sample(
        self, lengths: tf.Tensor, temperature: float = 1.0, seed: tf.Tensor = (0, 0)
    ) -> tf.Tensor:
        """Draws sequences of the given lengths.

        Called eagerly it compiles itself with XLA, once for each number and maximum of lengths.

        Args:
          lengths: int32 `[B]`.
          temperature: t: `eps ~ N(0, t^2)` where there is noise, logits / t, the argmax at 0.
          seed: int32 `[2]`.

        Returns:
          int32 `[B, max(lengths), *event_shape]`, 0 beyond each length.
        """
        lengths, seed = as_int32(lengths), as_int32(seed)
        check_lengths(lengths)
        temperature = tf.cast(temperature, self.compute_dtype)
        if tf.executing_eagerly():
            num_steps = int(np.max(lengths, initial=0))
            return self._compiled_sample(lengths, temperature, seed, num_steps)
        return self._sample(lengths, temperature, seed, tf.reduce_max(lengths))


def _traced(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """`function` as a graph, traced anew where `products_in` or `compiled_loops` differ."""

    def traced(_how: tuple, *args: Any) -> Any:
        return function(*args)

    graph = tf.function(traced, autograph=False, **options)
    return lambda *args: graph((products_are_in(), loops_are_compiled()), *args)


def as_int32(values: Any) -> tf.Tensor:
    """`values` as an int32 tensor.

    Raises:
      ValueError: they are no whole numbers.
    """
    values = tf.convert_to_tensor(values)
    if values.dtype.is_floating:
        known = tf.get_static_value(values)
        if known is None or not (known == np.floor(known)).all():
            raise ValueError(f"expected whole numbers; got {values.dtype.name}: cast them to int32")
    return tf.cast(values, tf.int32)


def check_lengths(lengths: tf.Tensor, longest: int | None = None) -> None:
    """Refuses lengths below 0 or, if it is given, above `longest`, where they are known.

    Raises:
      ValueError: a length is out of range.
    """
    known = tf.get_static_value(lengths)
    if known is None or known.size == 0:
        return
    if known.min() < 0 or (longest is not None and known.max() > longest):
        limit = "" if longest is None else f" to {longest}, the steps of x"
        raise ValueError(f"expected lengths from 0{limit}; got {known.min()} to {known.max()}")
