"""A model's configuration: one frozen dataclass, made and checked without TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from bijectors.tables import HIDDEN_STRUCTURES, SCALAR_MAPS, TIME_STRUCTURES, Table
from tf_latentflow.config.types import ConfigError, check_types
from tf_latentflow.rows import (
    CONDITIONER_INPUTS,
    CONDITIONERS,
    EMISSIONS,
    EMITTERS,
    INFERENCE_NETWORKS,
    MODEL_NAMES,
    NOTES,
    PRESETS,
    RULES,
    TWO_SIDED_CONDITIONERS,
    Setting,
    resolve,
)

__all__ = ["ModelConfig"]

# A sequence is padded to a multiple of the stride of a scale: here of 32,768 steps.
_MOST_SCALES = 16


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
      conditioner: Network that summarises the past for the prior, a key of `CONDITIONERS`. None for
        the baseline and for `none` in time.
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
      dropout: Dropout rate of the LSTM of the prior, or of the baseline, between layers and on its
        output; 0 for IAF in time.
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
        self._check_choices()
        self._check_conditioner()
        self._check_sizes()
        self._check_rates()

    def _refuse(self, field: str, expected: str, got: object = None) -> NoReturn:
        """Raises an error about a field: its own value is shown, or `got` if given."""
        got = repr(getattr(self, field)) if got is None else got
        raise ConfigError(field, f"expected {expected}; got {got}")

    def _check_choices(self) -> None:
        tables = {
            "scalar": SCALAR_MAPS,
            "hidden": HIDDEN_STRUCTURES,
            "time": TIME_STRUCTURES,
            "inference": INFERENCE_NETWORKS,
            "emitter": EMITTERS,
        }
        choices = {field: getattr(self, field) for field in tables}
        for field, table in tables.items():
            if (choices[field] is not None) != self.is_flow:
                names = ", ".join(tables)
                self._refuse(field, f"{names} all set (a flow) or all None (the baseline)", choices)
            if self.is_flow:
                _check_name(field, choices[field], table)
        _check_name("emission", self.emission, EMISSIONS)
        if self.emitter == "codebook" and self.inference != "codebook":
            expected = "inference codebook where the emitter is codebook"
            self._refuse("emitter", expected, repr(self.inference))

    def _check_conditioner(self) -> None:
        if self.time not in (None, "none"):
            _check_name("conditioner", self.conditioner, CONDITIONERS)
        elif self.conditioner is not None:
            self._refuse("conditioner", "no conditioner, as nothing is conditioned on the past")
        _check_name("conditioner_input", self.conditioner_input, CONDITIONER_INPUTS)
        maps_z = self.time == "multiscale" or (self.time, self.time_layers) == ("af", 1)
        if self.conditioner_input == "symbols" and not (maps_z and self.inference == "codebook"):
            times = "time multiscale, or af with time_layers 1"
            expected = f"inference codebook and {times}, where symbols are read"
            got = self.inference, self.time, self.time_layers
            self._refuse("conditioner_input", expected, got)
        if not self.is_causal:
            if self.conditioner.partition(":")[0] not in TWO_SIDED_CONDITIONERS:
                names = " or ".join(TWO_SIDED_CONDITIONERS)
                self._refuse("conditioner", f"the conditioner of {self.time} in time to be {names}")
            if self.time_layers < 2:
                self._refuse("time_layers", f"time_layers of at least 2 for {self.time} in time")
            if self.time == "multiscale" and self.time_layers > _MOST_SCALES:
                self._refuse("time_layers", f"time_layers of at most {_MOST_SCALES} for multiscale")
        elif self.time in (None, "none") and self.time_layers != 1:
            self._refuse("time_layers", "time_layers 1 without structure in time")

    def _check_sizes(self) -> None:
        for field in dataclasses.fields(self):
            if field.type == "int" and getattr(self, field.name) < 1:
                self._refuse(field.name, f"{field.name} of at least 1")
        of_notes = self.inference == "codebook" and not self.is_text
        if of_notes and self.latent_size != self.vocab_size:
            expected = f"latent_size {self.vocab_size} for a codebook of as many notes"
            self._refuse("latent_size", expected)
        if self.hidden == "scf" and self.latent_size < 2:
            self._refuse("latent_size", "latent_size of at least 2 for scf")
        if not self.made_sizes or min(self.made_sizes) < 1:
            self._refuse("made_sizes", "positive made_sizes")
        if self.hidden == "af" and min(self.made_sizes) < self.latent_size:
            self._refuse("made_sizes", f"made_sizes of at least latent_size = {self.latent_size}")
        if not self.is_text:
            if self.vocabulary is not None:
                self._refuse("vocabulary", "no vocabulary of notes")
        elif self.vocab_size < 3:
            self._refuse("vocab_size", "vocab_size of at least 3 (padding, unknown and a symbol)")
        elif self.vocabulary is not None and len(self.vocabulary) + 2 != self.vocab_size:
            expected = "vocab_size = 2 + number of characters in vocabulary"
            got = f"{self.vocab_size} and {len(self.vocabulary)} characters"
            self._refuse("vocabulary", expected, got)

    def _check_rates(self) -> None:
        for field in ("dropout", "posterior_dropout", "emitter_dropout"):
            if not 0 <= getattr(self, field) < 1:
                self._refuse(field, f"{field} in [0, 1)")
        if self.time == "iaf" and self.dropout:
            why = "whose density is computed step by step without dropout"
            self._refuse("dropout", f"dropout 0 for iaf in time, {why}")
        for choice, rate in (("inference", "posterior_dropout"), ("emitter", "emitter_dropout")):
            if getattr(self, choice) == "codebook" and getattr(self, rate):
                self._refuse(rate, f"{rate} 0 for a codebook, which has no states")

    @property
    def has_embedding(self) -> bool:
        """Whether a network embeds symbols, or uses the embedding to turn features into logits."""
        return not (self.inference == "codebook" and self.emitter == "codebook")

    @property
    def is_causal(self) -> bool:
        """Whether no step depends on later ones, so that the start of a sequence has a density."""
        return self.time not in ("coupling", "multiscale")

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
        """The fields of `from_name`, each with the rule of `tf_latentflow.rows` that set it.

        Raises:
          ConfigError: The name or preset is unknown.
          TypeError: An override is not a field.
        """
        _check_name("model name", name, MODEL_NAMES)
        _check_name("preset", preset, PRESETS)
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


def _check_name(what: str, value: str | None, table: Collection[str]) -> None:
    if value not in table:
        names = [*table, *(table.numbered if isinstance(table, Table) else ())]
        message = f"expected {what} to be one of {', '.join(names)}; got {value!r}"
        raise ConfigError(what.removeprefix("model "), message)
