"""The discrete autoregressive baseline: an LSTM language model under the same conditions."""

from __future__ import annotations

import keras
import tensorflow as tf

from bijectors import scan
from bijectors.axes import move_axis
from bijectors.masks import mask_steps
from tf_latentflow.config import ModelConfig
from tf_latentflow.networks.lstm import LSTMStack
from tf_latentflow.noise import NoiseSource, noise_of
from tf_latentflow.sequence_model import Seed, SequenceModel
from tf_latentflow.terms import Terms

__all__ = ["LSTMLanguageModel"]


@keras.saving.register_keras_serializable("tf_latentflow")
class LSTMLanguageModel(SequenceModel):
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
        if config.is_flow:
            raise ValueError(f"expected the configuration of the baseline; got {config.name!r}")
        super().__init__(config, name)
        self.stack = LSTMStack(
            config.hidden_size,
            config.hidden_size,
            config.num_lstm_layers,
            config.max_length,
            config.dropout,
            name="lstm",
        )
        self.built = True

    def elbo(
        self,
        x: tf.Tensor,
        lengths: tf.Tensor,
        num_samples: int = 1,
        seed: Seed = None,
        training: bool = False,
    ) -> Terms:
        """Exact `log p(x | T)` as the reconstruction and a KL of 0, nats `[1, B]` whatever S is."""
        x, lengths = self._batch_of(x, lengths)
        noise = noise_of(seed, tf.shape(lengths)[0]) if training else None
        logits = self.logits(x, lengths, noise)
        log_probs = self.symbols.log_prob(logits, x)
        log_prob = tf.reduce_sum(mask_steps(log_probs, lengths, event_ndims=0), axis=-1)
        return Terms(log_prob[None], tf.zeros_like(log_prob)[None], log_prob[None])

    def logits(
        self, x: tf.Tensor, lengths: tf.Tensor, dropout_noise: NoiseSource | None = None
    ) -> tf.Tensor:
        """From `x [B, T, *event_shape]` the logits of `p(x[t] | x[:t], T)`, `[B, T, V]`."""
        num_steps = tf.shape(x)[1]
        positions = self._positions(lengths, num_steps)
        embedded = self.symbols.embed(x)
        features = self.stack(
            tf.concat([tf.zeros_like(embedded[:, :1]), embedded[:, :-1]], axis=1),
            self.stack.positions(positions),
            self.stack.initial_state(positions, tf.shape(lengths), num_steps),
            masks=self.stack.masks(tf.shape(lengths), num_steps, dropout_noise),
        )
        return self.symbols.logits(features)

    def _estimate(
        self,
        x: tf.Tensor,
        lengths: tf.Tensor,
        num_samples: int,
        noise: NoiseSource,
        most_at_once: int,
    ) -> Terms:
        return Terms(*(term[0] for term in self.elbo(x, lengths)))

    def _sample(
        self,
        lengths: tf.Tensor,
        temperature: tf.Tensor,
        noise: NoiseSource,
        num_steps: int | tf.Tensor,
    ) -> tf.Tensor:
        shape = [tf.shape(lengths)[0], num_steps, self.config.vocab_size]
        uniform = move_axis(noise.uniform(shape, tf.as_dtype(self.compute_dtype)), 0, 1)
        if temperature.shape.rank:  # One a sequence.
            temperature = temperature[:, 0]
        positions = self._positions(lengths, num_steps)
        offsets = move_axis(self.stack.positions(positions), 0, 1)
        state = self.stack.initial_state(positions, tf.shape(lengths), num_steps)
        embedded = tf.zeros_like(state[0][0])

        def step(carry: tuple, inputs: tuple) -> tuple[tuple, tf.Tensor]:
            embedded, state = carry
            uniform, offset = inputs
            features, state = self.stack.step(embedded, offset, state)
            x = self.symbols.choose(self.symbols.logits(features), temperature, uniform)
            return (self.symbols.embed(x), state), x

        spec = tf.TensorSpec([*lengths.shape, *self.event_shape], tf.int32)
        _, x = scan(step, (embedded, state), (uniform, offsets), spec)
        return self._within(move_axis(x, 0, 1), lengths)
