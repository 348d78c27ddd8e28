"""The discrete autoregressive baseline: an LSTM language model under the same conditions."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf

from bijectors import scan
from bijectors.axes import move_axis
from bijectors.masks import mask_steps
from tf_latentflow.config import ModelConfig
from tf_latentflow.networks.lstm import LSTMStack
from tf_latentflow.sequence_model import ELBO, Estimate, SequenceModel, as_int32

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
        seed: tf.Tensor = (0, 0),
        training: bool = False,
    ) -> ELBO:
        """Exact `log p(x | T)` as the reconstruction and a KL of 0, nats `[1, B]` whatever S is."""
        x, lengths = self._batch_of(x, lengths)
        features = self.features(x, lengths, as_int32(seed) if training else None)
        log_probs = self.symbols.log_prob(features, x)
        log_prob = tf.reduce_sum(mask_steps(log_probs, lengths, event_ndims=0), axis=-1)
        return ELBO(log_prob[None], tf.zeros_like(log_prob)[None])

    def features(
        self, x: tf.Tensor, lengths: tf.Tensor, dropout_seed: tf.Tensor | None = None
    ) -> tf.Tensor:
        """From `x [B, T, *event_shape]` what `p(x[t] | x[:t], T)` is made of, `[B, T, units]`.

        `self.symbols.logits` makes its logits.
        """
        positions = self._positions(lengths, tf.shape(x)[1])
        embedded = self.symbols.embed(x)
        return self.stack(
            tf.concat([tf.zeros_like(embedded[:, :1]), embedded[:, :-1]], axis=1),
            self.stack.positions(positions),
            self.stack.initial_state(positions, tf.shape(lengths)),
            dropout_seed,
        )

    def _estimate(
        self, x: tf.Tensor, lengths: tf.Tensor, num_samples: int, seed: tf.Tensor
    ) -> Estimate:
        reconstruction, kl = self.elbo(x, lengths)
        return Estimate(reconstruction[0], reconstruction[0], kl[0])

    def _sample(
        self,
        lengths: tf.Tensor,
        temperature: tf.Tensor,
        seed: tf.Tensor,
        num_steps: int | tf.Tensor,
    ) -> tf.Tensor:
        shape = tf.concat([tf.shape(lengths), [self.config.vocab_size]], axis=0)

        def uniform(t: tf.Tensor) -> tf.Tensor:
            step_seed = tf.random.fold_in(seed, t)
            return tf.random.stateless_uniform(shape, step_seed, dtype=self.compute_dtype)

        return self.sample_with(uniform, lengths, temperature, num_steps)

    def sample_with(
        self,
        uniform: Callable[[tf.Tensor], tf.Tensor],
        lengths: tf.Tensor,
        temperature: tf.Tensor,
        num_steps: int | tf.Tensor,
    ) -> tf.Tensor:
        """What `sample` draws, as a function of the noise.

        Args:
          uniform: From a step's number to numbers `[B, V]` uniform on [0, 1).
          lengths: int32 `[B]`, none above `num_steps`.
          temperature: A number, or one a sequence, `[B, 1]`.
          num_steps: T.

        Returns:
          int32 `[B, T, *event_shape]`, 0 beyond each length.
        """
        positions = self._positions(lengths, num_steps)
        offsets = move_axis(self.stack.positions(positions), 0, 1)
        state = self.stack.initial_state(positions, tf.shape(lengths))
        embedded = tf.zeros_like(state[0][0])

        def step(carry: tuple, inputs: tuple) -> tuple[tuple, tf.Tensor]:
            embedded, state = carry
            t, offset = inputs
            features, state = self.stack.step(embedded, offset, state)
            x = self.symbols.choose(features, temperature, uniform(t))
            return (self.symbols.embed(x), state), x

        spec = tf.TensorSpec([*lengths.shape, *self.event_shape], tf.int32)
        _, x = scan(step, (embedded, state), (tf.range(num_steps), offsets), spec)
        return self._within(move_axis(x, 0, 1), lengths)
