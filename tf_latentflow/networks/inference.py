"""Inference networks: a mean-field Gaussian for every step, `q(z[t] | x, T) = N(mean, std^2)`."""

from __future__ import annotations

import functools
from collections.abc import Callable

import tensorflow as tf

from tf_latentflow.config import ModelConfig
from tf_latentflow.emissions.symbols import Symbols
from tf_latentflow.layer import Layer
from tf_latentflow.networks.codebook import Codebook
from tf_latentflow.networks.convolution import ConvStack
from tf_latentflow.networks.lstm import BiLSTM
from tf_latentflow.networks.normal import Posterior
from tf_latentflow.networks.positions import Positions
from tf_latentflow.networks.sequence_network import stateless_dropout
from tf_latentflow.noise import NoiseSource

__all__ = [
    "BiLSTMInference",
    "CodebookInference",
    "ConvInference",
    "InferenceNetwork",
    "LocalInference",
    "conv_inference",
]


class InferenceNetwork(Layer):
    """The contract of the entries of `tf_latentflow.config.choices.INFERENCE_NETWORKS`.

    Args:
      config: Sizes and dropout.
      name: Name of the layer.
    """

    def __init__(self, config: ModelConfig, name: str = "inference_network") -> None:
        super().__init__(name=name)
        self._dropout = config.posterior_dropout

    def call(
        self,
        x: tf.Tensor,
        positions: Positions,
        symbols: Symbols,
        codebook: Codebook | None,
        dropout_noise: NoiseSource | None = None,
    ) -> Posterior:
        """`q(z | x, T)` from `x [B, T, *event_shape]`.

        Args:
          x: Symbols or notes.
          positions: Of the sequences.
          symbols: The model's embedding of x, which also turns features into logits.
          codebook: The distributions of z given x, or None.
          dropout_noise: Noise of the dropout in training, which is applied to the states.
        """
        raise NotImplementedError


class _FromStates(InferenceNetwork):
    """Mean and log std by one linear layer from states that a subclass computes."""

    def __init__(self, config: ModelConfig, state_size: int, name: str) -> None:
        super().__init__(config, name)
        self.outputs = self._dense(state_size, 2 * config.latent_size, "outputs")

    def call(
        self,
        x: tf.Tensor,
        positions: Positions,
        symbols: Symbols,
        codebook: Codebook | None,
        dropout_noise: NoiseSource | None = None,
    ) -> Posterior:
        states = self._states(x, positions, symbols)
        states = stateless_dropout(states, self._dropout, dropout_noise)
        return Posterior(*tf.split(self._apply(self.outputs, states), 2, axis=-1))

    def _states(self, x: tf.Tensor, positions: Positions, symbols: Symbols) -> tf.Tensor:
        raise NotImplementedError


class BiLSTMInference(_FromStates):
    """From the states of a BiLSTM over the embedded x (Ziegler & Rush, 2019)."""

    def __init__(self, config: ModelConfig, name: str = "inference_network") -> None:
        size = config.hidden_size
        super().__init__(config, 2 * size, name)
        self.bilstm = BiLSTM(size, size, config.num_lstm_layers, config.max_length, name="bilstm")
        self.built = True

    def _states(self, x: tf.Tensor, positions: Positions, symbols: Symbols) -> tf.Tensor:
        kernels = [symbols.input_kernel(kernel) for kernel in self.bilstm.input_kernels]
        states = self.bilstm(symbols.inputs(x), positions, kernels)
        return tf.concat(states, axis=-1)


class ConvInference(_FromStates):
    """From two-sided convolutions over the embedded x; see `ConvStack`."""

    def __init__(
        self, config: ModelConfig, num_layers: int, name: str = "inference_network"
    ) -> None:
        size = config.hidden_size
        super().__init__(config, size, name)
        self.stack = ConvStack(
            size, size, num_layers, config.max_length, two_sided=True, name="conv"
        )
        self.built = True

    def _states(self, x: tf.Tensor, positions: Positions, symbols: Symbols) -> tf.Tensor:
        return self.stack(symbols.embed(x), positions)


def conv_inference(num_layers: int = 4) -> Callable[[ModelConfig], ConvInference]:
    """`ConvInference` with a number of layers."""
    return functools.partial(ConvInference, num_layers=num_layers)


class LocalInference(_FromStates):
    """From x[t] alone, with one hidden layer: `q(z[t] | x[t])`."""

    def __init__(self, config: ModelConfig, name: str = "inference_network") -> None:
        size = config.hidden_size
        super().__init__(config, size, name)
        self.hidden = self._dense(size, size, "hidden")
        self.built = True

    def _states(self, x: tf.Tensor, positions: Positions, symbols: Symbols) -> tf.Tensor:
        return tf.nn.relu(self._apply(self.hidden, symbols.embed(x)))


class CodebookInference(InferenceNetwork):
    """The codebook's distribution of the symbol: `q(z[t] | x[t] = k) = N(mu[k], diag s[k]^2)`."""

    def __init__(self, config: ModelConfig, name: str = "inference_network") -> None:
        super().__init__(config, name)
        self.built = True

    def call(
        self,
        x: tf.Tensor,
        positions: Positions,
        symbols: Symbols,
        codebook: Codebook | None,
        dropout_noise: NoiseSource | None = None,
    ) -> Posterior:
        return Posterior(*codebook.of_symbols(x))
