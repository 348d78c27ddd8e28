"""How many operations the matrix products of a piece of work have: the floor of its time."""

from __future__ import annotations

from bijectors import HIDDEN_STRUCTURES, SCALAR_MAPS
from tf_latentflow import ModelConfig

__all__ = [
    "elbo_operations",
    "made_operations",
    "sample_operations",
    "step_weights",
    "train_operations",
]

_TRAINING = 3  # Forward, and the gradients of inputs and of weights, each as much.


def train_operations(
    config: ModelConfig, batch_size: int, num_steps: int, num_samples: int = 1
) -> float:
    """Multiplications and additions of a training step on sequences of equal length."""
    return _TRAINING * elbo_operations(config, batch_size, num_steps, num_samples)


def elbo_operations(
    config: ModelConfig, batch_size: int, num_steps: int, num_samples: int = 1
) -> float:
    """Those of the bound with S samples: the inference network runs once, all else S times."""
    once, every = _symbol_products(config)
    return 2 * batch_size * num_steps * (once + num_samples * every)


def sample_operations(config: ModelConfig, batch_size: int, num_steps: int) -> float:
    """Those of drawing sequences, the solution of the flow not counted."""
    return 2 * batch_size * num_steps * _symbol_products(config)[1]


def made_operations(
    event_size: int, hidden_size: int, num_params: int, batch_size: int = 1
) -> float:
    """Those of one pass through a MADE of two hidden layers, its masked weights counted too."""
    weights = hidden_size * (event_size + hidden_size + event_size * num_params)
    return 2 * batch_size * weights


def step_weights(config: ModelConfig) -> int:
    """Weights that a step of a serial loop reads in drawing a sequence.

    What can be done for all steps at once is not among them: for IAF in time only the recurrent
    weights of its LSTM and, for every flow, those of the emitter are read step by step.
    """
    units = config.hidden_size
    recurrent = 4 * units * units
    layers = config.num_lstm_layers
    if not config.is_flow:
        return _lstm(units, units, layers) + units * config.vocab_size
    emitter = 2 * layers * recurrent if config.emitter == "bilstm" else 0
    if config.time == "iaf":
        return layers * recurrent + emitter
    if config.time == "none":
        return emitter
    return _lstm(config.latent_size, units, layers) + _flow(config) + emitter


def _symbol_products(config: ModelConfig) -> tuple[int, int]:
    """Multiplications for a symbol: of the inference network, and of all else."""
    size, latent, layers = config.hidden_size, config.latent_size, config.num_lstm_layers
    logits = size * config.vocab_size
    if not config.is_flow:
        return 0, _lstm(size, size, layers) + logits
    inference = {
        "bilstm": _bilstm(size, size, layers) + 2 * size * 2 * latent,
        "local": size * size + size * 2 * latent,
        "codebook": 0,
    }
    emitter = {
        "bilstm": _bilstm(latent, size, layers) + (latent + 2 * size) * size + logits,
        "local": latent * size + size * size + logits,
        "codebook": 2 * latent * config.vocab_size,
    }
    prior = _flow(config) + (_lstm(latent, size, layers) if config.time != "none" else 0)
    return inference[config.inference], prior + emitter[config.emitter]


def _lstm(input_size: int, units: int, layers: int) -> int:
    return 4 * units * (input_size + units + (layers - 1) * 2 * units)


def _bilstm(input_size: int, units: int, layers: int) -> int:
    return 2 * 4 * units * (input_size + units + (layers - 1) * 3 * units)


def _flow(config: ModelConfig) -> int:
    """All layers of the hidden bijectors; masked weights count, since they are multiplied."""
    context = config.hidden_size if config.time != "none" else 0
    network = HIDDEN_STRUCTURES[config.hidden].network(
        config.latent_size,
        SCALAR_MAPS[config.scalar].num_params,
        context_size=context,
        hidden_sizes=config.made_sizes,
    )
    kernels = sum(w.shape.num_elements() for w in network.weights if len(w.shape) == 2)
    return config.flow_layers * kernels
