"""The discrete autoregressive baseline: an LSTM language model under the same conditions."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from bijectors.axes import later, move_axis
from bijectors.loops import scan
from bijectors.masks import mask_steps, step_mask
from tf_latentflow.conditional import continuation
from tf_latentflow.conditional.particles import as_particles, as_rows, pick
from tf_latentflow.config import ModelConfig
from tf_latentflow.interfaces.inputs import pad_steps
from tf_latentflow.networks.lstm import LSTMStack
from tf_latentflow.noise import NoiseSource, Seed, noise_of
from tf_latentflow.sequence_model import SequenceModel, sum_steps
from tf_latentflow.terms import Terms

__all__ = ["LSTMLanguageModel"]

_LENGTHS_AT_ONCE = 32  # That the beginning of a sequence goes through the network with.


@keras.saving.register_keras_serializable("tf_latentflow")
class LSTMLanguageModel(SequenceModel):
    """`p(x | T) = prod_t p(x[t] | x[:t], T)` by an LSTM that knows its distance from both ends.

    Input and output embedding share one matrix (Press & Wolf, 2017). The methods are those of
    `LatentFlow`; what is an estimate there is exact here.

    Args:
      config: Sizes; its scalar, hidden and time choices are None.
      name: Name of the model.

    Raises:
      ValueError: `config` describes a flow.

    Example:
      >>> from tf_latentflow import LSTMLanguageModel, ModelConfig
      >>> model = LSTMLanguageModel(ModelConfig.from_name("lstm", preset="tiny", vocab_size=5))
      >>> x, lengths = tf.constant([[2, 3, 4], [4, 2, 0]]), tf.constant([3, 2])
      >>> model.elbo_by_step(x, lengths).log_prob.shape  # log p(x[t] | x[:t], T)
      TensorShape([1, 2, 3])
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

    complete = continuation.complete

    def elbo_by_step(
        self,
        x: tf.Tensor,
        lengths: tf.Tensor,
        num_samples: int = 1,
        seed: Seed = None,
        training: bool = False,
    ) -> Terms:
        """Exact `log p(x[t] | x[:t], T)` as the reconstruction, with a KL of 0: nats `[1, B, T]`.

        There is one sample, whatever `num_samples` is.
        """
        x, lengths = self._batch_of(x, lengths)
        return self._by_step(x, lengths, noise_of(seed, tf.shape(lengths)[0]) if training else None)

    def _by_step(self, x: tf.Tensor, lengths: tf.Tensor, noise: NoiseSource | None = None) -> Terms:
        log_probs = self.symbols.log_prob(self.logits(x, lengths, noise), x)
        log_probs = mask_steps(log_probs, lengths, event_ndims=0)[None]
        return Terms(log_probs, tf.zeros_like(log_probs), log_probs)

    def logits(
        self, x: tf.Tensor, lengths: tf.Tensor, dropout_noise: NoiseSource | None = None
    ) -> tf.Tensor:
        """Logits of `p(x[t] | x[:t], T)`, `[B, T, V]`, from `x [B, T, *event_shape]`."""
        num_steps = tf.shape(x)[1]
        features = self.stack(
            later(self.symbols.inputs(x), 1),
            self._positions(lengths, num_steps),
            masks=self.stack.masks(tf.shape(lengths), num_steps, dropout_noise),
            kernel=self.symbols.input_kernel(self.stack.input_kernel),
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
        return Terms(*(term[0] for term in sum_steps(self._by_step(x, lengths))))

    def _sample(
        self,
        lengths: tf.Tensor,
        temperature: tf.Tensor,
        noise: NoiseSource,
        num_steps: int | tf.Tensor,
    ) -> tf.Tensor:
        nothing = tf.zeros([tf.shape(lengths)[0], num_steps, *self.event_shape], tf.int32)
        return self._draw(nothing, tf.zeros_like(lengths), lengths, temperature, noise, num_steps)

    def _draw(
        self,
        given: tf.Tensor,
        num_given: tf.Tensor,
        lengths: tf.Tensor,
        temperature: tf.Tensor,
        noise: NoiseSource,
        num_steps: int | tf.Tensor,
    ) -> tf.Tensor:
        """Draws sequences that start with the first `num_given [B]` steps of `given [B, T]`."""
        shape = [tf.shape(lengths)[0], num_steps, self.config.vocab_size]
        uniform = move_axis(noise.uniform(shape, tf.as_dtype(self.compute_dtype)), 0, 1)
        if temperature.shape.rank:  # One a sequence.
            temperature = temperature[:, 0]
        positions = self._positions(lengths, num_steps)
        offsets = self.stack.positions(positions.time_major())
        state = self.stack.initial_state(positions, tf.shape(lengths), num_steps)
        kernel = self.symbols.input_kernel(self.stack.input_kernel)
        nothing = tf.zeros([tf.shape(lengths)[0], kernel.shape[0]], kernel.dtype)
        is_given = step_mask(num_given, given, len(self.event_shape))

        def step(carry: tuple, inputs: tuple) -> tuple[tuple, tf.Tensor]:
            read, state = carry
            uniform, offset, is_given, given = inputs
            features, state = self.stack.step(read, offset, state, kernel=kernel)
            x = self.symbols.choose(self.symbols.logits(features), temperature, uniform)
            x = tf.where(is_given, given, x)
            return (self.symbols.inputs(x), state), x

        spec = tf.TensorSpec([*lengths.shape, *self.event_shape], tf.int32)
        inputs = (uniform, offsets, move_axis(is_given, 0, 1), move_axis(given, 0, 1))
        _, x = scan(step, (nothing, state), inputs, spec)
        return self._within(move_axis(x, 0, 1), lengths)

    def _complete(
        self,
        x: tf.Tensor,
        prefix_lengths: tf.Tensor,
        lengths: tf.Tensor,
        temperature: tf.Tensor,
        noise: NoiseSource,
        num_steps: int | tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        x = pad_steps(x, num_steps)
        drawn = self._draw(x, prefix_lengths, lengths[0], temperature, noise, num_steps)
        return drawn, lengths[0]

    def _lengths_beyond(
        self, x: tf.Tensor, prefix_lengths: tf.Tensor, num_particles: int, noise: NoiseSource
    ) -> tf.Tensor:
        """Draws T of each row from `p(T | x[:k], T > k)`, from p(T) p(x[:k] | T) of every T."""
        num_rows = tf.shape(prefix_lengths)[0]

        def weigh(state: tuple, numbers: tf.Tensor) -> tuple[tuple, tf.Tensor]:
            lengths = tf.repeat(numbers[:, None], num_rows, axis=1)
            copies = tf.tile(x, [_LENGTHS_AT_ONCE, *[1] * (x.shape.rank - 1)])
            logits = self.logits(copies, tf.reshape(lengths, [-1]))
            log_probs = as_particles(self.symbols.log_prob(logits, copies), lengths)
            log_probs = mask_steps(log_probs, prefix_lengths, event_ndims=0)
            log_weight = tf.reduce_sum(log_probs, axis=-1) + self.length_model.log_prob(lengths)
            minus_infinity = tf.constant(-np.inf, log_weight.dtype)
            return state, tf.where(lengths > prefix_lengths, log_weight, minus_infinity)

        chunks = -(-self.config.max_length // _LENGTHS_AT_ONCE)
        numbers = 1 + tf.reshape(tf.range(chunks * _LENGTHS_AT_ONCE), [chunks, _LENGTHS_AT_ONCE])
        spec = tf.TensorSpec([_LENGTHS_AT_ONCE, *prefix_lengths.shape], self.compute_dtype)
        _, log_weight = scan(weigh, (), numbers, spec, parallel_iterations=1)
        return 1 + pick(as_rows(log_weight), noise)[None]
