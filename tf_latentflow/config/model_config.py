"""A model's configuration: one frozen dataclass, made and checked without TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bijectors.tables import CAUSAL_TIME_STRUCTURES, COUPLING_TIME_STRUCTURES
from tf_latentflow.config.checks import check_fields, check_name
from tf_latentflow.config.rows import MODEL_NAMES, NOTES, PRESETS, RULES, Setting, resolve
from tf_latentflow.config.types import check_types

__all__ = ["ModelConfig"]


@dataclass(frozen=True)
class ModelConfig:
    """Everything that determines the variables and formulas of a model.

    The defaults are those of `af-af` at preset `small`, for text.

    Attributes:
      name: Name of the row, or any other name.
      scalar: Scalar map, a key of `bijectors.SCALAR_MAPS` (`nlsq`, `mixture:8`). None for the
        baseline, as for the other choices below.
      hidden: Structure within a step, a key of `bijectors.HIDDEN_STRUCTURES`.
      time: Structure across steps, a key of `bijectors.TIME_STRUCTURES`.
      inference: Inference network, from x to q(z | x, T): a key of `INFERENCE_NETWORKS`.
      emitter: From z to p(x[t] | z, T): a key of `EMITTERS`.
      conditioner: Network that summarises other steps for the prior, a key of `CONDITIONERS`. None
        for the baseline and for `none` in time.
      conditioner_input: What the conditioner reads of a step, a key of `CONDITIONER_INPUTS`.
      emission: What is observed at a step, a key of `EMISSIONS`: a symbol (categorical), or a chord
        whose notes are independent given z (bernoulli) or drawn one after the other (made).
      vocab_size: Number of symbols, including padding (id 0) and unknown (id 1), or of notes.
      max_length: Longest sequence with a probability above 0, in steps.
      latent_size: H, the dimensions of the latent vector of a step.
      hidden_size: Units of each LSTM, of each direction of a BiLSTM, and of the embedding.
      num_lstm_layers: Layers of each LSTM and BiLSTM.
      flow_layers: Number of hidden bijectors composed within a step.
      time_layers: Number of bijectors along time, one after the other; 1 for `none` in time.
      made_sizes: Units of the hidden layers of each hidden bijector's network.
      dropout: Dropout rate of the prior's conditioner, or of the baseline, between layers and on
        its output; 0 for IAF in time.
      posterior_dropout: Dropout rate of the states from which the inference network computes
        q(z | x, T).
      emitter_dropout: Dropout rate of the states that the emitter reads besides z.
      vocabulary: The characters with ids 2, 3, ..., or None if the model does not need them. Always
        None for notes.

    Example:
      >>> from tf_latentflow import ModelConfig
      >>> config = ModelConfig.from_name("af-scf", preset="tiny", scalar="mixture:4")
      >>> config.scalar, config.hidden, config.time, config.latent_size
      ('mixture:4', 'scf', 'af', 3)
      >>> ModelConfig.from_dict(config.to_dict()) == config
      True
    """

    name: str = "af-af"
    scalar: str | None = "nlsq"
    hidden: str | None = "af"
    time: str | None = "af"
    inference: str | None = "bilstm"
    emitter: str | None = "bilstm"
    conditioner: str | None = "lstm"
    conditioner_input: str = "latents"
    emission: str = "categorical"
    vocab_size: int = 51
    max_length: int = 288
    latent_size: int = 8
    hidden_size: int = 128
    num_lstm_layers: int = 2
    flow_layers: int = 3
    time_layers: int = 1
    made_sizes: tuple[int, ...] = (64, 64)
    dropout: float = 0.0
    posterior_dropout: float = 0.0
    emitter_dropout: float = 0.0
    vocabulary: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_types(type(self), vars(self))
        check_fields(self)

    @property
    def has_embedding(self) -> bool:
        """Whether a network embeds symbols, or uses the embedding to turn features into logits."""
        return self.emitter != "codebook"  # Whose inference network is a codebook too.

    @property
    def is_causal(self) -> bool:
        """Whether no step depends on later ones, so that the start of a sequence has a density."""
        return not self.is_flow or self.time in CAUSAL_TIME_STRUCTURES

    @property
    def is_coupling(self) -> bool:
        """Whether a stage of the prior maps some steps, given kept ones before and after them."""
        return self.is_flow and self.time in COUPLING_TIME_STRUCTURES

    @property
    def is_text(self) -> bool:
        """Whether a step is a symbol. Otherwise it is a chord of notes."""
        return self.emission not in NOTES

    @property
    def is_flow(self) -> bool:
        """Whether this is a latent flow. Otherwise it is the baseline."""
        return self.scalar is not None

    @classmethod
    def from_name(cls, name: str, preset: str = "small", **overrides: Any) -> ModelConfig:
        """The row `name` at the sizes of `preset`, with single fields replaced by `overrides`.

        This is the model that the training programs train under the same names, except for what
        follows from their data: the `vocabulary`, its size and, for music, the `max_length`.

        Raises:
          ConfigError: The name or preset is unknown (the message lists the valid ones), or a size
            is invalid.
          TypeError: An override is not a field.
        """
        settings = cls.resolve(name, preset, **overrides)
        return cls(**{field: setting.value for field, setting in settings.items()})

    @classmethod
    def resolve(cls, name: str, preset: str = "small", **overrides: Any) -> dict[str, Setting]:
        """The fields of `from_name`, each with the rule of `tf_latentflow.config.rows` that set it.

        Raises:
          ConfigError: The name or preset is unknown.
          TypeError: An override is not a field.
        """
        check_name("model name", name, MODEL_NAMES)
        check_name("preset", preset, PRESETS)
        defaults = {field.name: field.default for field in dataclasses.fields(cls)}
        if unknown := set(overrides) - set(defaults):
            raise TypeError(f"expected fields of ModelConfig; got {sorted(unknown)}")
        return resolve(RULES, defaults, {"name": name, "preset": preset, **overrides})

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dictionary; `from_dict` is its inverse."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ModelConfig:
        """Rebuilds a configuration from `to_dict`, also after a round trip through JSON."""
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
        }
        return cls(**fields)
