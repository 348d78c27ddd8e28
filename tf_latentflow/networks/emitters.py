"""Emitters: the distribution of an observed step given the latents."""

from __future__ import annotations

import functools
from collections.abc import Callable

import keras
import tensorflow as tf

from bijectors.masks import zero_unless
from tf_latentflow.config import ModelConfig
from tf_latentflow.emissions.symbols import Symbols
from tf_latentflow.layer import Layer
from tf_latentflow.networks.codebook import Codebook
from tf_latentflow.networks.convolution import ConvStack
from tf_latentflow.networks.lstm import BiLSTM
from tf_latentflow.networks.positions import Positions
from tf_latentflow.networks.sequence_network import stateless_dropout
from tf_latentflow.noise import NoiseSource

__all__ = [
    "BiLSTMEmitter",
    "CodebookEmitter",
    "ConvEmitter",
    "Emitter",
    "LocalEmitter",
    "conv_emitter",
]


class Emitter(Layer):
    """The contract of the entries of `tf_latentflow.config.choices.EMITTERS`.

    Logits come from `symbols.logits`, without which the bias of the embedding would not be trained.
    Weights of the emitter whose first axis has an entry for each symbol are its `symbol_weights`.

    Args:
      config: Sizes and dropout.
      name: Name of the layer.

    Attributes:
      reads_one_step: Whether the logits of x[t] depend on z[t] alone.
    """

    reads_one_step = False

    def __init__(self, config: ModelConfig, name: str = "emitter") -> None:
        super().__init__(name=name)
        self._dropout = config.emitter_dropout

    def call(
        self,
        z: tf.Tensor,
        positions: Positions,
        symbols: Symbols,
        codebook: Codebook | None,
        dropout_noise: NoiseSource | None = None,
    ) -> tf.Tensor:
        """From `z [..., B, T, H]`, zero beyond the lengths, to logits of x, `[..., B, T, V]`.

        Args:
          z: Latents.
          positions: Of the sequences.
          symbols: The model's embedding of x, which also turns features into logits.
          codebook: The distributions of z given x, or None.
          dropout_noise: Noise of the dropout in training, which is applied to the states but not to
            z.
        """
        raise NotImplementedError


class _FromStates(Emitter):
    """Logits from states that a subclass computes from z, beside z[t] where they are not its own.

    A linear layer, `linear`, computes features from them, and the matrix of the embedding computes
    logits from the features.
    """

    def call(
        self,
        z: tf.Tensor,
        positions: Positions,
        symbols: Symbols,
        codebook: Codebook | None,
        dropout_noise: NoiseSource | None = None,
    ) -> tf.Tensor:
        states = self._states(z, positions)
        read = stateless_dropout(states, self._dropout, dropout_noise)
        if not self.reads_one_step:
            read = tf.concat([z, read], axis=-1)
        return symbols.logits(self._apply(self.linear, read))

    def _states(self, z: tf.Tensor, positions: Positions) -> tf.Tensor:
        raise NotImplementedError


class BiLSTMEmitter(_FromStates):
    """`p(x[t] | z, T)` from `[z[t], forward state at t-1, backward state at t+1]`.

    The states are those of a BiLSTM over z (Ziegler & Rush, 2019).
    """

    def __init__(self, config: ModelConfig, name: str = "emitter") -> None:
        super().__init__(config, name)
        size = config.hidden_size
        self.bilstm = BiLSTM(
            config.latent_size, size, config.num_lstm_layers, config.max_length, name="bilstm"
        )
        self.linear = self._dense(config.latent_size + 2 * size, size, "linear")
        self.built = True

    def _states(self, z: tf.Tensor, positions: Positions) -> tf.Tensor:
        ahead, behind = self.bilstm(z, positions)
        steps = tf.range(tf.shape(z)[-2])[:, None]
        last = positions.lengths[:, None, None] - 1
        # Rolls, whose gradients are rolls: that of a slice fills an array with zeros first.
        ahead = zero_unless(steps > 0, tf.roll(ahead, 1, axis=-2))
        behind = zero_unless(steps < last, tf.roll(behind, -1, axis=-2))
        return tf.concat([ahead, behind], axis=-1)


class ConvEmitter(_FromStates):
    """`p(x[t] | z, T)` from z[t] and two-sided convolutions over z; see `ConvStack`."""

    def __init__(self, config: ModelConfig, num_layers: int, name: str = "emitter") -> None:
        super().__init__(config, name)
        size = config.hidden_size
        self.stack = ConvStack(
            config.latent_size, size, num_layers, config.max_length, two_sided=True, name="conv"
        )
        self.linear = self._dense(config.latent_size + size, size, "linear")
        self.built = True

    def _states(self, z: tf.Tensor, positions: Positions) -> tf.Tensor:
        return self.stack(z, positions)


def conv_emitter(num_layers: int = 4) -> Callable[[ModelConfig], ConvEmitter]:
    """`ConvEmitter` with a number of layers."""
    return functools.partial(ConvEmitter, num_layers=num_layers)


class LocalEmitter(_FromStates):
    """`p(x[t] | z[t])` from z[t] alone, with one hidden layer."""

    reads_one_step = True

    def __init__(self, config: ModelConfig, name: str = "emitter") -> None:
        super().__init__(config, name)
        size = config.hidden_size
        self.hidden = self._dense(config.latent_size, size, "hidden")
        self.linear = self._dense(size, size, "linear")
        self.built = True

    def _states(self, z: tf.Tensor, positions: Positions) -> tf.Tensor:
        return tf.nn.relu(self._apply(self.hidden, z))


class CodebookEmitter(Emitter):
    """Bayes' rule for the codebook, with a weight of its own for each symbol.

    p(x[t] = k | z[t]) = pi[k] N(z[t]; mu[k], s[k]^2) / sum_j pi[j] N(z[t]; mu[j], s[j]^2)
    """

    reads_one_step = True

    def __init__(self, config: ModelConfig, name: str = "emitter") -> None:
        super().__init__(config, name)
        self.log_weight = self.add_weight((config.vocab_size,), "zeros", name="log_weight")
        self.built = True

    @property
    def symbol_weights(self) -> list[keras.Variable]:
        return [self.log_weight]

    def call(
        self,
        z: tf.Tensor,
        positions: Positions,
        symbols: Symbols,
        codebook: Codebook | None,
        dropout_noise: NoiseSource | None = None,
    ) -> tf.Tensor:
        return codebook.logits(z, tf.convert_to_tensor(self.log_weight))
