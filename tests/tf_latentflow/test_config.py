"""Names, presets and sizes of a model."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable

import pytest

from bijectors.tables import HIDDEN_STRUCTURES, TIME_STRUCTURES
from tf_latentflow import MODEL_NAMES, PRESETS, ModelConfig
from tf_latentflow.config import ConfigError
from tf_latentflow.config.choices import EMISSIONS, TWO_SIDED_CONDITIONERS
from tf_latentflow.config.rows import GIVEN, RULES, Rule, Setting, resolve

FIELDS = {field.name for field in dataclasses.fields(ModelConfig)}

ROWS = {
    "af-af": ("nlsq", "af", "af"),
    "af-scf": ("nlsq", "scf", "af"),
    "iaf-scf": ("nlsq", "scf", "iaf"),
    "af-only": ("nlsq", "af", "none"),
    "af-af-affine": ("affine", "af", "af"),
    "af-indep": ("nlsq", "none", "af"),
    "af-indep-affine": ("affine", "none", "af"),
    "lstm": (None, None, None),
    "codebook": ("mixture:8", "af", "af"),
    "multiscale": ("mixture:8", "af", "multiscale"),
    "multiscale-codebook": ("mixture:8", "af", "multiscale"),
    "chords": ("nlsq", "af", "af"),
}


def test_rows_are_looked_up() -> None:
    assert set(ROWS) <= set(MODEL_NAMES)
    for name, choices in ROWS.items():
        config = ModelConfig.from_name(name)
        assert (config.scalar, config.hidden, config.time) == choices
        assert config.is_flow == (name != "lstm")


def test_chords_are_those_of_af_af_with_an_emission_of_their_own() -> None:
    for preset in PRESETS:
        same = ModelConfig.from_name("af-af", preset, emission="made")
        assert ModelConfig.from_name("chords", preset) == dataclasses.replace(same, name="chords")


def test_presets_change_sizes_but_not_the_maximum_length() -> None:
    assert {ModelConfig.from_name("af-af", preset).max_length for preset in PRESETS} == {288}
    paper = ModelConfig.from_name("af-af", "paper")
    assert (paper.hidden_size, paper.latent_size, paper.made_sizes) == (500, 50, (100, 100))
    assert (paper.flow_layers, paper.num_lstm_layers, paper.dropout) == (5, 2, 0.2)
    iaf = ModelConfig.from_name("iaf-scf", "paper")
    assert (iaf.flow_layers, iaf.dropout) == (3, 0.0)
    assert ModelConfig.from_name("lstm", "paper").dropout == 0.1


def test_music_has_its_own_sizes() -> None:
    for name in MODEL_NAMES:
        assert ModelConfig.from_name(name, "tiny", emission="bernoulli").vocab_size == 88
    for name in ROWS:
        layers = 1 if name in ("codebook", "multiscale", "multiscale-codebook") else 5
        assert ModelConfig.from_name(name, "paper", emission="bernoulli").flow_layers == layers
    rates = {
        name: ModelConfig.from_name(name, "paper", emission="bernoulli").dropout
        for name in ("af-af", "iaf-scf", "lstm")
    }
    assert rates == {"af-af": 0.2, "iaf-scf": 0.0, "lstm": 0.1}


def test_a_small_model_of_music_has_dropout_where_it_can() -> None:
    rates = {}
    for name in ("af-af", "iaf-scf", "lstm"):
        config = ModelConfig.from_name(name, emission="bernoulli")
        rates[name] = (config.dropout, config.posterior_dropout, config.emitter_dropout)
    assert rates == {"af-af": (0.5, 0.2, 0.5), "iaf-scf": (0.0, 0.2, 0.5), "lstm": (0.5, 0.0, 0.0)}
    assert ModelConfig.from_name("af-af").dropout == 0.0


@pytest.mark.parametrize(
    ("name", "emission", "fields"),
    [
        ("codebook", "categorical", {"dropout": 0.2, "conditioner_input": "symbols"}),
        (
            "codebook",
            "bernoulli",
            {"scalar": "mixture:4", "latent_size": 88, "made_sizes": (128, 128)},
        ),
        ("multiscale", "categorical", {"conditioner": "conv:3", "time_layers": 6}),
        (
            "multiscale-codebook",
            "categorical",
            {
                **{"dropout": 0.4, "made_sizes": (256, 256), "time_layers": 4},
                **{"conditioner": "window:6", "conditioner_input": "symbols"},
            },
        ),
    ],
)
def test_some_rows_have_settings_of_their_own(name: str, emission: str, fields: dict) -> None:
    config = ModelConfig.from_name(name, emission=emission).to_dict()
    assert fields.items() <= config.items()


def test_the_defaults_are_a_row() -> None:
    assert ModelConfig() == ModelConfig.from_name("af-af", "small")


def test_a_choice_brings_its_rules() -> None:
    config = ModelConfig.from_name("af-af", "paper", time="iaf")
    assert (config.time, config.dropout, config.flow_layers) == ("iaf", 0.0, 5)


def test_rules_name_what_there_is() -> None:
    known = {"name": set(MODEL_NAMES), "preset": set(PRESETS), "emission": set(EMISSIONS)}
    for when, fields in RULES:
        assert fields.keys() <= FIELDS
        for name, value in when.items():
            values = set(value) if isinstance(value, tuple) else {value}
            assert values <= known[name] if name in known else name in FIELDS


def test_the_last_rule_counts_but_what_is_given_more() -> None:
    rules = (
        Rule({}, {"a": 1, "b": 1}),
        Rule({"kind": ("x", "y")}, {"a": 2, "b": 2, "c": 2}),
        Rule({"kind": "y"}, {"a": 3}),
        Rule({"a": 2}, {"d": 4}),
        Rule({"b": GIVEN}, {"e": None}),
    )
    defaults = dict.fromkeys("abcde", 0)
    assert resolve(rules, defaults, {"kind": "x", "c": 9}) == {
        "a": Setting(2, {"kind": "x"}),
        "b": Setting(2, {"kind": "x"}),
        "c": Setting(9, {"c": GIVEN}),
        "d": Setting(4, {"a": 2}),
        "e": Setting(0, {}),
    }
    found = resolve(rules, defaults, {"kind": "z", "b": None})
    assert [setting.value for setting in found.values()] == [1, None, 0, 0, None]
    assert found["e"].when == {"b": GIVEN}
    with pytest.raises(KeyError, match="kind"):
        resolve(rules, defaults, {})


def test_a_field_says_which_rule_set_it() -> None:
    settings = ModelConfig.resolve("lstm", "paper", emission="bernoulli", hidden_size=7)
    assert settings["dropout"] == Setting(0.1, {"preset": "paper", "name": "lstm"})
    assert settings["hidden_size"] == Setting(7, {"hidden_size": GIVEN})
    assert settings["max_length"] == Setting(288, {})


def test_configurations_saved_before_there_was_music_are_of_text() -> None:
    saved = ModelConfig.from_name("af-af").to_dict()
    del saved["emission"]
    assert ModelConfig.from_dict(saved) == ModelConfig.from_name("af-af", emission="categorical")


def test_overrides_and_round_trip_through_json() -> None:
    config = ModelConfig.from_name("af-scf", "tiny", vocab_size=4, vocabulary=("a", "ü"))
    assert ModelConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def listed(names: Iterable[str]) -> str:
    return re.escape(", ".join(names))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"name": "af"}, f"expected model name to be one of {listed(MODEL_NAMES)}; got 'af'"),
        ({"preset": "huge"}, f"expected preset to be one of {listed(PRESETS)}; got 'huge'"),
        ({"scalar": "cubic"}, "expected scalar to be one of .*; got 'cubic'"),
        ({"scalar": "nlsq:3"}, r"spline, mixture, spline:N .*, mixture:N \(N from 1 .*'nlsq:3'"),
        ({"scalar": "mixture:0"}, r"mixture:N \(N from 1 to 1000\); got 'mixture:0'"),
        ({"hidden": "x"}, f"expected hidden to be one of {listed(HIDDEN_STRUCTURES)}; got 'x'"),
        ({"time": "x"}, f"expected time to be one of {listed(TIME_STRUCTURES)}; got 'x'"),
        ({"scalar": None}, "expected scalar, hidden, time, inference, emitter all set"),
        ({"latent_size": 0}, "expected latent_size of at least 1; got 0"),
        ({"vocab_size": 2}, "expected vocab_size of at least 3"),
        ({"vocab_size": 9, "vocabulary": ("a",)}, "expected vocab_size = 2 \\+ number of char"),
        ({"vocab_size": 4, "vocabulary": ("a", "a")}, r"expected distinct .*; got \['a'\] more"),
        ({"vocab_size": 3, "vocabulary": ("ab",)}, "expected strings of one character; got 'ab'"),
        ({"emission": "x"}, f"expected emission to be one of {listed(EMISSIONS)}; got 'x'"),
        ({"emission": "bernoulli", "vocab_size": 0}, "expected vocab_size of at least 1; got 0"),
        ({"emission": "bernoulli", "vocabulary": ("a",)}, "expected no vocabulary of notes; got"),
        ({"made_sizes": ()}, "expected positive made_sizes; got"),
        ({"latent_size": 65}, "expected made_sizes of at least latent_size = 65"),
        ({"hidden": "scf", "latent_size": 1}, "expected latent_size of at least 2 for scf; got 1"),
        ({"dropout": 1.0}, "expected dropout in \\[0, 1\\); got 1.0"),
        (
            {"time": "multiscale", "time_layers": 17},
            "time_layers of at most 16 for multiscale; got",
        ),
        ({"time": "coupling", "time_layers": 1}, "expected time_layers of at least 2 for coupling"),
        ({"time": "none", "time_layers": 2}, "expected time_layers 1 without structure in time"),
        ({"name": "codebook", "conditioner_input": "symbols", "time_layers": 2}, "af with time_l"),
        ({"num_lstm_layers": True}, "expected num_lstm_layers of type int; got True"),
        ({"vocab_size": 4, "vocabulary": ("a", 3)}, "expected vocabulary of type .*; got .'a', 3"),
        (
            {"time": "multiscale", "conditioner": "lstm"},
            f"multiscale in time to be one of {listed(TWO_SIDED_CONDITIONERS)}; got .lstm",
        ),
        ({"time": "iaf", "dropout": 0.1}, "expected dropout 0 for iaf in time, .*; got 0.1"),
        ({"name": "lstm", "posterior_dropout": 0.1}, "expected posterior_dropout 0 for the base"),
        ({"name": "lstm", "emitter_dropout": 0.1}, "which has no latents; got 0.1"),
    ],
)
def test_wrong_values_are_refused(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ModelConfig.from_name(**{"name": "af-af", "preset": "small", **arguments})


@pytest.mark.parametrize(
    "limits",
    [
        {"time": "multiscale", "time_layers": 16},
        {"time": "coupling", "time_layers": 2},
        {"latent_size": 64},  # As wide as the networks.
        {"hidden": "scf", "latent_size": 2},
        {"vocab_size": 3},
    ],
)
def test_values_up_to_their_limits_are_accepted(limits: dict[str, object]) -> None:
    assert limits.items() <= ModelConfig.from_name("af-af", **limits).to_dict().items()


def test_unknown_override_is_refused() -> None:
    with pytest.raises(TypeError, match="expected fields of ModelConfig; got \\['depth'\\]"):
        ModelConfig.from_name("af-af", depth=3)


def test_the_choice_that_does_not_go_with_the_others_is_named() -> None:
    with pytest.raises(ConfigError) as refused:
        ModelConfig.from_name("lstm", scalar="nlsq")
    assert refused.value.field == "scalar"
    with pytest.raises(ConfigError) as refused:
        ModelConfig.from_name("af-af", hidden=None)
    assert refused.value.field == "hidden"
    with pytest.raises(ConfigError) as refused:
        ModelConfig.from_name("nothing")
    assert refused.value.field == "name"
