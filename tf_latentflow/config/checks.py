"""The checks of a model's configuration, each with one sentence for the user, and a limit."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any, NoReturn, TypeAlias

from bijectors.tables import (
    HIDDEN_STRUCTURES,
    SCALAR_MAPS,
    TIME_ENTRIES,
    TIME_STRUCTURES,
    Table,
    name_of,
)
from tf_latentflow.config.choices import (
    CONDITIONER_INPUTS,
    CONDITIONERS,
    EMISSIONS,
    EMITTERS,
    INFERENCE_NETWORKS,
    TWO_SIDED_CONDITIONERS,
    WITHOUT_STATES,
)
from tf_latentflow.config.types import ConfigError
from tf_latentflow.vocabulary import Vocabulary

__all__ = ["MAX_TEMPERATURE", "check_fields", "check_given", "check_name"]

MAX_TEMPERATURE = 1000.0
"""The highest temperature. Far higher ones would draw latents that float32 cannot represent."""

# A sequence is padded to a multiple of the stride of a scale: here of 32,768 steps.
_MOST_SCALES = 16

_OF_LATENTS = ("latent_size", "flow_layers", "time_layers", "made_sizes")

Config: TypeAlias = Any
"""A `ModelConfig`, whose module imports this one."""


def check_fields(config: Config) -> None:
    """Checks that there is such a model.

    Raises:
      ConfigError: A field is invalid, or does not fit another; the error names it.
    """
    _check_choices(config)
    _check_conditioner(config)
    _check_sizes(config)
    _check_rates(config)


def check_given(config: Config, given: Mapping[str, Any]) -> None:
    """Checks that fields that a user sets have an effect. Presets set sizes for all models.

    Raises:
      ConfigError: A field has none; the error names it.
    """
    for field in _OF_LATENTS:
        if field in given and not config.is_flow:
            expected = f"no {field} for the baseline, which has no latents"
            _refuse(config, field, expected, given[field])
    if config.time == "none" and given.get("dropout"):
        expected = "dropout 0 without structure in time, where no network reads other steps"
        _refuse(config, "dropout", expected, given["dropout"])


def check_name(what: str, value: str | None, table: Collection[str]) -> None:
    """Checks that a value is one of a table's names.

    Raises:
      ConfigError: It is not; the error lists them.
    """
    if value not in table:
        names = [*table, *(table.numbered if isinstance(table, Table) else ())]
        message = f"expected {what} to be one of {', '.join(names)}; got {value!r}"
        raise ConfigError(what.removeprefix("model "), message)


def _refuse(config: Config, field: str, expected: str, got: object = None) -> NoReturn:
    """Raises an error about a field: its own value is shown, or `got` if given."""
    got = repr(getattr(config, field)) if got is None else got
    raise ConfigError(field, f"expected {expected}; got {got}")


def _check_choices(config: Config) -> None:
    tables = {
        "scalar": SCALAR_MAPS,
        "hidden": HIDDEN_STRUCTURES,
        "time": TIME_STRUCTURES,
        "inference": INFERENCE_NETWORKS,
        "emitter": EMITTERS,
    }
    choices = {field: getattr(config, field) for field in tables}
    of_flow = [field for field, choice in choices.items() if choice is not None]
    of_baseline = [field for field in choices if field not in of_flow]
    if of_flow and of_baseline:
        field = min(of_flow, of_baseline, key=len)[0]  # What does not go with the others.
        names = ", ".join(tables)
        _refuse(config, field, f"{names} all set (a flow) or all None (the baseline)", choices)
    for field, table in tables.items():
        if config.is_flow:
            check_name(field, choices[field], table)
    check_name("emission", config.emission, EMISSIONS)
    if config.emitter == "codebook" and config.inference != "codebook":
        expected = "inference codebook where the emitter is codebook"
        _refuse(config, "emitter", expected, repr(config.inference))


def _check_conditioner(config: Config) -> None:
    if config.time not in (None, "none"):
        check_name("conditioner", config.conditioner, CONDITIONERS)
    elif config.conditioner is not None:
        _refuse(config, "conditioner", "no conditioner, as nothing is conditioned on the past")
    check_name("conditioner_input", config.conditioner_input, CONDITIONER_INPUTS)
    maps_z = config.time == "multiscale" or (config.time, config.time_layers) == ("af", 1)
    if config.conditioner_input == "symbols" and not (maps_z and config.inference == "codebook"):
        times = "time multiscale, or af with time_layers 1"
        expected = f"inference codebook and {times}, where symbols are read"
        got = config.inference, config.time, config.time_layers
        _refuse(config, "conditioner_input", expected, got)
    if config.is_coupling:
        if name_of(config.conditioner) not in TWO_SIDED_CONDITIONERS:
            expected = f"the conditioner of {config.time} in time to be one of "
            _refuse(config, "conditioner", expected + ", ".join(TWO_SIDED_CONDITIONERS))
        if config.time_layers < 2:
            _refuse(config, "time_layers", f"time_layers of at least 2 for {config.time} in time")
        if TIME_ENTRIES[config.time].has_scales and config.time_layers > _MOST_SCALES:
            expected = f"time_layers of at most {_MOST_SCALES} for {config.time}"
            _refuse(config, "time_layers", expected)
    elif config.time in (None, "none") and config.time_layers != 1:
        _refuse(config, "time_layers", "time_layers 1 without structure in time")


def _check_sizes(config: Config) -> None:
    for field in dataclasses.fields(config):
        if field.type == "int" and getattr(config, field.name) < 1:
            _refuse(config, field.name, f"{field.name} of at least 1")
    of_notes = config.inference == "codebook" and not config.is_text
    if of_notes and config.latent_size != config.vocab_size:
        expected = f"latent_size {config.vocab_size} for a codebook of as many notes"
        _refuse(config, "latent_size", expected)
    if config.hidden == "scf" and config.latent_size < 2:
        _refuse(config, "latent_size", "latent_size of at least 2 for scf")
    if not config.made_sizes or min(config.made_sizes) < 1:
        _refuse(config, "made_sizes", "positive made_sizes")
    if config.hidden == "af" and min(config.made_sizes) < config.latent_size:
        _refuse(config, "made_sizes", f"made_sizes of at least latent_size = {config.latent_size}")
    if not config.is_text:
        if config.vocabulary is not None:
            _refuse(config, "vocabulary", "no vocabulary of notes")
    elif config.vocab_size < 3:
        _refuse(config, "vocab_size", "vocab_size of at least 3 (padding, unknown and a symbol)")
    elif config.vocabulary is not None:
        try:
            size = Vocabulary(config.vocabulary).size
        except ValueError as error:
            raise ConfigError("vocabulary", str(error)) from error
        if size != config.vocab_size:
            expected = "vocab_size = 2 + number of characters in vocabulary"
            got = f"{config.vocab_size} and {size - 2} characters"
            _refuse(config, "vocabulary", expected, got)


def _check_rates(config: Config) -> None:
    for field in ("dropout", "posterior_dropout", "emitter_dropout"):
        if not 0 <= getattr(config, field) < 1:
            _refuse(config, field, f"{field} in [0, 1)")
    if config.time == "iaf" and config.dropout:
        why = "whose density is computed step by step without dropout"
        _refuse(config, "dropout", f"dropout 0 for iaf in time, {why}")
    for field, rate in (("inference", "posterior_dropout"), ("emitter", "emitter_dropout")):
        choice = getattr(config, field)
        if choice in WITHOUT_STATES and getattr(config, rate):
            _refuse(config, rate, f"{rate} 0 for {field} {choice}, which has no states")
        if choice is None and getattr(config, rate):
            _refuse(config, rate, f"{rate} 0 for the baseline, which has no latents")
