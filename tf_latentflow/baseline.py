"""The discrete autoregressive baseline: an LSTM language model under the same conditions."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from bijectors import scan
from tf_latentflow.config import ModelConfig
from tf_latentflow.emitters import CategoricalSymbols
from tf_latentflow.length_model import LengthModel
from tf_latentflow.lstm import LSTMStack
from tf_latentflow.model import ELBO, Estimate
from tf_latentflow.positions import Positions

__all__ = ["LSTMLanguageModel"]


@keras.saving.register_keras_serializable("tf_latentflow")
class LSTMLanguageModel(keras.Model):
    """`p(x | T) = prod_t p(x[t] | x[:t], T)` by an LSTM that knows its distance from both ends.

    Input and output embedding are one matrix (Press & Wolf, 2017). It answers the same methods as
    `LatentFlow`; what is an estimate there is exact here.

    Args:
      config: Sizes; its scalar, hidden and time choices are None.
      name: Name of the model.

    Raises:
      ValueError: `config` is that of a flow.
    """

    def __init__(self, config: ModelConfig, name: str = "lstm_language_model") -> None:
        super().__init__(name=name, dtype=keras.config.floatx())
        if config.is_flow:
            raise ValueError(f"expected the configuration of the baseline; got {config.name!r}")
        self.config = config
        self.length_model = LengthModel(config.max_length)
        self.symbols = CategoricalSymbols(config.vocab_size, config.hidden_size)
        self.stack = LSTMStack(
            config.hidden_size,
            config.hidden_size,
            config.num_lstm_layers,
            config.max_length,
            config.dropout,
            name="lstm",
        )
        self._compiled_sample = tf.function(self._sample, jit_compile=True)
        self.built = True

    def get_config(self) -> dict[str, Any]:
        return {"config": self.config.to_dict(), "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LSTMLanguageModel:
        return cls(ModelConfig.from_dict(config["config"]), name=config["name"])

    def _positions(self, lengths: tf.Tensor, num_steps: int | tf.Tensor) -> Positions:
        return Positions.of(lengths, num_steps, tf.convert_to_tensor(self.length_model.longest))

    def call(self, x: tf.Tensor, lengths: tf.Tensor, training: bool = False) -> ELBO:
        """The exact log-probability in the form of an ELBO."""
        return self.elbo(x, lengths, training=training)

    def elbo(
        self,
        x: tf.Tensor,
        lengths: tf.Tensor,
        num_samples: int = 1,
        seed: tf.Tensor = (0, 0),
        training: bool = False,
    ) -> ELBO:
        """Exact `log p(x | T)` as the reconstruction and a KL of 0, nats `[1, B]` whatever S is."""
        x, lengths = _as_int32(x), _as_int32(lengths)
        positions = self._positions(lengths, tf.shape(x)[1])
        embedded = self.symbols.embed(x)
        before = tf.concat([tf.zeros_like(embedded[:, :1]), embedded[:, :-1]], axis=1)
        features = self.stack(
            before,
            self.stack.positions(positions),
            self.stack.initial_state(positions, tf.shape(lengths)),
            _as_int32(seed) if training else None,
        )
        log_probs = self.symbols.log_prob(features, x)
        inside = tf.sequence_mask(lengths, tf.shape(x)[1])
        log_prob = tf.reduce_sum(tf.where(inside, log_probs, tf.zeros_like(log_probs)), axis=-1)
        return ELBO(log_prob[None], tf.zeros_like(log_prob)[None])

    def estimate(
        self, x: tf.Tensor, lengths: tf.Tensor, num_samples: int = 50, seed: tf.Tensor = (0, 0)
    ) -> Estimate:
        """Exact `log p(x | T)`, nats `[B]`, in the form of an estimate."""
        reconstruction, kl = self.elbo(x, lengths)
        return Estimate(reconstruction[0], reconstruction[0], kl[0])

    def log_likelihood(
        self, x: tf.Tensor, lengths: tf.Tensor, num_samples: int = 50, seed: tf.Tensor = (0, 0)
    ) -> tf.Tensor:
        """Exact `log p(x, T) = log p(x | T) + log p(T)`, nats `[B]`."""
        return self.estimate(x, lengths).log_prob + self.length_model.log_prob(lengths)

    def sample(
        self, lengths: tf.Tensor, temperature: float = 1.0, seed: tf.Tensor = (0, 0)
    ) -> tf.Tensor:
        """Draws sequences step by step; arguments and result as in `LatentFlow.sample`."""
        lengths = _as_int32(lengths)
        temperature = tf.convert_to_tensor(temperature, self.compute_dtype)
        if tf.executing_eagerly():
            num_steps = int(np.max(lengths, initial=0))
            return self._compiled_sample(lengths, temperature, _as_int32(seed), num_steps)
        return self._sample(lengths, temperature, _as_int32(seed), tf.reduce_max(lengths))

    def _sample(
        self,
        lengths: tf.Tensor,
        temperature: tf.Tensor,
        seed: tf.Tensor,
        num_steps: int | tf.Tensor,
    ) -> tf.Tensor:
        positions = self._positions(lengths, num_steps)
        offsets = tf.transpose(self.stack.positions(positions), [1, 0, 2])
        state = self.stack.initial_state(positions, tf.shape(lengths))
        embedded = tf.zeros_like(state[0][0])

        def step(carry: tuple, inputs: tuple) -> tuple[tuple, tf.Tensor]:
            embedded, state = carry
            t, offset = inputs
            features, state = self.stack.step(embedded, offset, state)
            x = self.symbols.sample(features, temperature, tf.random.fold_in(seed, t))
            return (self.symbols.embed(x), state), x

        spec = tf.TensorSpec(lengths.shape, tf.int32)
        _, x = scan(step, (embedded, state), (tf.range(num_steps), offsets), spec)
        x = tf.transpose(x)
        return tf.where(tf.sequence_mask(lengths, num_steps), x, tf.zeros_like(x))


def _as_int32(values: Any) -> tf.Tensor:
    return tf.cast(tf.convert_to_tensor(values), tf.int32)
