"""How many operations the matrix products of a piece of work have: the floor of its time.

A choice that is not counted here is refused: a floor without it would be too low.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from bijectors import HIDDEN_STRUCTURES, SCALAR_MAPS
from bijectors.tables import name_of
from tf_latentflow import ModelConfig
from tf_latentflow.config.choices import CONDITIONERS, EMITTERS, INFERENCE_NETWORKS
from tf_latentflow.networks.window import NUM_HIDDEN

__all__ = [
    "elbo_operations",
    "made_operations",
    "sample_operations",
    "step_weights",
    "train_operations",
]

Count = TypeVar("Count")

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
    weights of its LSTM and, for every flow, those of an LSTM emitter are read step by step.

    Raises:
      ValueError: A choice is not counted; the error names it.
    """
    units = config.hidden_size
    recurrent = 4 * units * units
    layers = config.num_lstm_layers
    if not config.is_flow:
        return _lstm(_read(config), units, layers) + units * config.vocab_size
    of_emitter = {"bilstm": 2 * layers * recurrent, "conv": 0, "local": 0, "codebook": 0}
    of_time = {
        "af": _lstm(config.latent_size, units, layers) + _flow(config, units),
        "iaf": layers * recurrent,
        **dict.fromkeys(("coupling", "multiscale", "none"), 0),
    }
    return _of_choice(config, "time", of_time) + _of_choice(config, "emitter", of_emitter)


def _symbol_products(config: ModelConfig) -> tuple[int, int]:
    """Multiplications for a symbol: of the inference network, and of all else.

    Raises:
      ValueError: A choice is not counted; the error names it.
    """
    size, latent, layers = config.hidden_size, config.latent_size, config.num_lstm_layers
    logits = size * config.vocab_size
    if not config.is_flow:
        return 0, _lstm(_read(config), size, layers) + logits + _emission(config)
    depth = INFERENCE_NETWORKS.number_of(config.inference)
    of_inference = {
        "bilstm": _bilstm(_read(config), size, layers) + 2 * size * 2 * latent,
        "conv": _conv(size, size, depth) + size * 2 * latent,
        "local": size * size + size * 2 * latent,
        "codebook": 0,
    }
    inference = _of_choice(config, "inference", of_inference)
    depth = EMITTERS.number_of(config.emitter)
    of_emitter = {
        "bilstm": _bilstm(latent, size, layers) + (latent + 2 * size) * size + logits,
        "conv": _conv(latent, size, depth) + (latent + size) * size + logits,
        "local": latent * size + size * size + logits,
        "codebook": _codebook(config),
    }
    emitter = _of_choice(config, "emitter", of_emitter)
    return inference, _prior(config) + emitter + _emission(config)


def _of_choice(config: ModelConfig, field: str, counts: Mapping[str, Count]) -> Count:
    """The count of what a configuration chose in a field.

    Raises:
      ValueError: It has none.
    """
    name = name_of(getattr(config, field))
    if name not in counts:
        known = ", ".join(counts)
        raise ValueError(
            f"expected {field} to be one of {known}, whose operations are counted in {__name__}; "
            f"got {name!r}"
        )
    return counts[name]


def _read(config: ModelConfig) -> int:
    """Size of what an LSTM reads of a symbol or chord: its indicators, or its embedding."""
    return min(config.vocab_size, config.hidden_size)


def _emission(config: ModelConfig) -> int:
    """Products of the distribution of x given its logits."""
    notes = config.vocab_size
    units = max(config.hidden_size if config.has_embedding else 0, 2 * notes)
    made = 3 * notes * units + notes * notes
    return _of_choice(config, "emission", {"categorical": 0, "bernoulli": 0, "made": made})


def _codebook(config: ModelConfig) -> int:
    """Products of Bayes' rule for a codebook; one of notes multiplies no matrix."""
    return 2 * config.latent_size * config.vocab_size if config.is_text else 0


def _prior(config: ModelConfig) -> float:
    """Products of all layers along time, for a step of the sequence."""
    if config.time == "none":
        return _flow(config, context=0)
    size = config.hidden_size
    of_reader = {"latents": (config.latent_size, 0)}
    of_reader["symbols"] = config.vocab_size, _codebook(config)
    read, reading = _of_choice(config, "conditioner_input", of_reader)
    of_all = read + config.is_coupling  # Which steps are known.
    depth = CONDITIONERS.number_of(config.conditioner)
    sides = 2 if config.is_coupling else 1
    of_conditioner = {
        "lstm": _lstm(read, size, config.num_lstm_layers),
        "conv": _conv(of_all, size, depth),
        "attention": of_all * size + 6 * size * size * depth,
        # Between kept steps, half of the steps have contexts, from twice as many vectors.
        "window": read * size / 2 + (depth + 2 / sides) * size * NUM_HIDDEN / 2,
    }
    conditioner = _of_choice(config, "conditioner", of_conditioner)
    flow = _flow(config, context=size)
    every = config.time_layers * (reading + conditioner + flow)
    coupling = reading + conditioner + flow / 2  # It maps every other step.
    rest = 0.5 ** (config.time_layers - 1)
    of_time = {
        "af": every,
        "iaf": every,
        "coupling": config.time_layers * coupling,
        "multiscale": 2 * (1 - rest) * coupling + rest * _flow(config, context=0),
    }
    return _of_choice(config, "time", of_time)


def _conv(input_size: int, units: int, layers: int) -> int:
    return units * (input_size + 4 * units * layers)


def _lstm(input_size: int, units: int, layers: int) -> int:
    return 4 * units * (input_size + units + (layers - 1) * 2 * units)


def _bilstm(input_size: int, units: int, layers: int) -> int:
    return 2 * 4 * units * (input_size + units + (layers - 1) * 3 * units)


def _flow(config: ModelConfig, context: int) -> int:
    """All layers of the hidden bijectors; masked weights count, since they are multiplied."""
    network = HIDDEN_STRUCTURES[config.hidden].network(
        config.latent_size,
        SCALAR_MAPS[config.scalar].num_params,
        context_size=context,
        hidden_sizes=config.made_sizes,
    )
    kernels = sum(w.shape.num_elements() for w in network.weights if len(w.shape) == 2)
    return config.flow_layers * kernels
