"""What a model is: one frozen dataclass. It is made and checked without TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from bijectors.tables import HIDDEN_STRUCTURES, SCALAR_MAPS, TIME_STRUCTURES, Table
from tf_latentflow.rows import (
    CONDITIONERS,
    EMISSIONS,
    EMITTERS,
    INFERENCE_NETWORKS,
    MODEL_NAMES,
    PRESETS,
    RULES,
    TWO_SIDED_CONDITIONERS,
    Setting,
    resolve,
)

__all__ = ["ConfigError", "ModelConfig"]


class ConfigError(ValueError):
    """A configuration that no model can have.

    Attributes:
      field: The field of `ModelConfig` that is wrong.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class ModelConfig:
    """Everything that determines a model's variables and formulas.

    The defaults are those of `af-af` at preset `small`, for text.

    Attributes:
      name: Row of the paper that this is, or any other name.
      scalar: Scalar map, a key of `bijectors.SCALAR_MAPS` (`nlsq`, `mixture:8`); None for the
        baseline.
      hidden: Structure within a step, a key of `bijectors.HIDDEN_STRUCTURES`; None likewise.
      time: Structure across steps, a key of `bijectors.TIME_STRUCTURES`; None likewise.
      inference: From x to q(z | x, T), a key of `INFERENCE_NETWORKS`; None for the baseline.
      emitter: From z to p(x[t] | z, T), a key of `EMITTERS`; None likewise.
      conditioner: What summarises the past for the prior, a key of `CONDITIONERS`; None where
        nothing does: for the baseline, and for `none` in time.
      emission: What is observed at a step, a key of `EMISSIONS`: a symbol (categorical) or a chord
        of notes (bernoulli).
      vocab_size: Number of symbols, padding (id 0) and unknown (id 1) included; or of notes.
      max_length: Longest sequence that has a probability, in steps.
      latent_size: H, dimensions of a step's latent vector.
      hidden_size: Units of every LSTM, of each direction of a BiLSTM, and of the embedding.
      num_lstm_layers: Layers of every LSTM and BiLSTM.
      flow_layers: Hidden bijectors composed within a step.
      time_layers: Bijectors along time, one after the other; 1 for `none` in time.
      made_sizes: Units of the hidden layers of each hidden bijector's network.
      dropout: Rate on the LSTM of the prior, or of the baseline, between layers and on its output;
        0 for IAF in time.
      posterior_dropout: Rate on the states that the inference network reads q(z | x, T) from.
      emitter_dropout: Rate on the states beside z that the emitter reads.
      vocabulary: The characters of ids 2, 3, ..., or None when the model need not know them;
        always None for notes.
    """

    name: str = "af-af"
    scalar: str | None = "nlsq"
    hidden: str | None = "af"
    time: str | None = "af"
    inference: str | None = "bilstm"
    emitter: str | None = "bilstm"
    conditioner: str | None = "lstm"
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
        self._check_choices()
        for field in (
            "max_length",
            "latent_size",
            "hidden_size",
            "num_lstm_layers",
            "flow_layers",
            "time_layers",
        ):
            value = getattr(self, field)
            if value < 1:
                raise ConfigError(field, f"expected {field} of at least 1; got {value}")
        _check_name("emission", self.emission, EMISSIONS)
        if self.emission == "categorical":
            self._check_symbols()
        else:
            self._check_notes()
        self._check_hidden()
        for field in ("dropout", "posterior_dropout", "emitter_dropout"):
            rate = getattr(self, field)
            if not 0 <= rate < 1:
                raise ConfigError(field, f"expected {field} in [0, 1); got {rate}")
        if self.time == "iaf" and self.dropout:
            raise ConfigError(
                "dropout",
                "expected dropout 0 for iaf in time, whose density has none, being computed step "
                f"by step; got {self.dropout}",
            )

    def _check_choices(self) -> None:
        tables = {
            "scalar": SCALAR_MAPS,
            "hidden": HIDDEN_STRUCTURES,
            "time": TIME_STRUCTURES,
            "inference": INFERENCE_NETWORKS,
            "emitter": EMITTERS,
        }
        choices = {name: getattr(self, name) for name in tables}
        if len({choice is None for choice in choices.values()}) > 1:
            raise ConfigError(
                next(name for name, choice in choices.items() if (choice is None) == self.is_flow),
                f"expected {', '.join(tables)} all set (a flow) or all None (the baseline); "
                f"got {choices}",
            )
        if self.is_flow:
            for name, table in tables.items():
                _check_name(name, choices[name], table)
        if self.time in (None, "none"):
            if self.conditioner is not None:
                raise ConfigError(
                    "conditioner",
                    f"expected no conditioner where nothing is conditioned on the past; got "
                    f"{self.conditioner!r}",
                )
        else:
            _check_name("conditioner", self.conditioner, CONDITIONERS)
        self._check_time_layers()
        self._check_codebook()

    def _check_time_layers(self) -> None:
        if self.time == "coupling":
            if self.conditioner.partition(":")[0] not in TWO_SIDED_CONDITIONERS:
                raise ConfigError(
                    "conditioner",
                    "expected a conditioner that reads later steps too for coupling in time "
                    f"({', '.join(TWO_SIDED_CONDITIONERS)}); got {self.conditioner!r}",
                )
            if self.time_layers < 2:
                raise ConfigError(
                    "time_layers",
                    "expected time_layers of at least 2 for coupling in time, of which each keeps "
                    f"half of the steps; got {self.time_layers}",
                )
        elif self.time in (None, "none") and self.time_layers != 1:
            raise ConfigError(
                "time_layers",
                f"expected time_layers 1 without structure in time; got {self.time_layers}",
            )

    def _check_codebook(self) -> None:
        if self.inference == "codebook" and self.emission != "categorical":
            raise ConfigError(
                "inference", "expected a codebook for symbols only; got one for " + self.emission
            )
        if self.emitter == "codebook" and self.inference != "codebook":
            raise ConfigError(
                "emitter",
                "expected inference codebook where the emitter is Bayes' rule of it; got "
                f"{self.inference!r}",
            )
        for choice, rate in (("inference", "posterior_dropout"), ("emitter", "emitter_dropout")):
            if getattr(self, choice) == "codebook" and getattr(self, rate):
                raise ConfigError(
                    rate,
                    f"expected {rate} 0 for a codebook, which has no states; got "
                    f"{getattr(self, rate)}",
                )

    def _check_hidden(self) -> None:
        if not self.made_sizes or min(self.made_sizes) < 1:
            raise ConfigError("made_sizes", f"expected positive made_sizes; got {self.made_sizes}")
        if self.hidden == "af" and min(self.made_sizes) < self.latent_size:
            raise ConfigError(
                "made_sizes",
                f"expected made_sizes of at least latent_size = {self.latent_size}; "
                f"got {self.made_sizes}",
            )
        if self.hidden == "scf" and self.latent_size < 2:
            raise ConfigError(
                "latent_size", f"expected latent_size of at least 2 for scf; got {self.latent_size}"
            )

    def _check_symbols(self) -> None:
        if self.vocab_size < 3:
            raise ConfigError(
                "vocab_size",
                "expected vocab_size of at least 3 (padding, unknown and a symbol); "
                f"got {self.vocab_size}",
            )
        if self.vocabulary is not None and len(self.vocabulary) + 2 != self.vocab_size:
            raise ConfigError(
                "vocabulary",
                "expected vocab_size = 2 + number of characters in vocabulary; got "
                f"{self.vocab_size} and {len(self.vocabulary)} characters",
            )

    def _check_notes(self) -> None:
        if self.vocab_size < 1:
            raise ConfigError(
                "vocab_size", f"expected vocab_size of at least 1 note; got {self.vocab_size}"
            )
        if self.vocabulary is not None:
            raise ConfigError(
                "vocabulary", f"expected no vocabulary of notes; got {self.vocabulary}"
            )

    @property
    def has_embedding(self) -> bool:
        """Whether a network reads symbols by an embedding, or turns features into logits by it."""
        return not (self.inference == "codebook" and self.emitter == "codebook")

    @property
    def is_flow(self) -> bool:
        """Whether this is a latent flow; otherwise the baseline."""
        return self.scalar is not None

    @classmethod
    def from_name(cls, name: str, preset: str = "small", **overrides: Any) -> ModelConfig:
        """The row `name` at the sizes of `preset`, single fields replaced by `overrides`.

        It is the model that the training programs train under these names, but for what follows
        from their data: the `vocabulary`, its size, and of music the `max_length`.

        Raises:
          ConfigError: unknown name or preset (the message lists the valid ones), or invalid sizes.
          TypeError: an override is no field.
        """
        settings = cls.resolve(name, preset, **overrides)
        return cls(**{field: setting.value for field, setting in settings.items()})

    @classmethod
    def resolve(cls, name: str, preset: str = "small", **overrides: Any) -> dict[str, Setting]:
        """The fields of `from_name`, each with the rule of `tf_latentflow.rows` that set it.

        Raises:
          ConfigError: unknown name or preset.
          TypeError: an override is no field.
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
        values = dict(values)
        for field in ("made_sizes", "vocabulary"):
            if values.get(field) is not None:
                values[field] = tuple(values[field])
        return cls(**values)


def _check_name(what: str, value: str | None, table: Collection[str]) -> None:
    if value not in table:
        names = [*table, *(table.numbered if isinstance(table, Table) else ())]
        message = f"expected {what} to be one of {', '.join(names)}; got {value!r}"
        raise ConfigError(what.removeprefix("model "), message)
