"""What flags and presets stand for, the model that they name, and where each value is from."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bijectors.tables import HIDDEN_STRUCTURES, SCALAR_MAPS, TIME_STRUCTURES
from tests.paths import ROOT
from tf_latentflow import MODEL_NAMES, PRESETS, ModelConfig
from tf_latentflow.config.rows import GIVEN
from tf_latentflow.config.rows import RULES as ROWS
from train.data.music.config import MusicConfig
from train.data.tasks import TASKS
from train.data.text.config import TextConfig
from train.settings.config import TrainConfig
from train.settings.parsing import parse_train_config
from train.settings.presets import RULES
from train.support.errors import UserError

every_kind = pytest.mark.parametrize("kind", TASKS.values(), ids=TASKS)

# A value of each field of a model that follows from some kind of data.
FROM_DATA = {"vocab_size": 4, "vocabulary": ("a", "b"), "max_length": 99}


def emission_of(name: str, kind: type[TrainConfig]) -> str:
    """The emission of a row, or the kind's first where the row has none of its own."""
    own = [fields.get("emission") for when, fields in ROWS if when == {"name": name}]
    return next(filter(None, own), kind.emissions[0])


@every_kind
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", MODEL_NAMES)
def test_a_program_trains_the_model_of_the_library(
    kind: type[TrainConfig], preset: str, name: str
) -> None:
    emission = emission_of(name, kind)
    if emission not in kind.emissions:
        refused = f"--model expects a row of {kind.task}; got {name}, whose emission is {emission}"
        with pytest.raises(UserError, match=refused):
            parse_train_config(kind, ["--model", name, "--preset", preset])
        return
    config = parse_train_config(kind, ["--model", name, "--preset", preset])
    fields = {field: FROM_DATA[field] for field in kind.from_data}
    expected = ModelConfig.from_name(name, preset, emission=emission, **fields)
    assert config.model_config(**fields) == expected


def test_only_what_is_said_to_follows_from_the_data() -> None:
    config = parse_train_config(TextConfig, [])
    fields, model = config.load().model_fields(), config.model_config()
    differing = {name for name, value in fields.items() if getattr(model, name) != value}
    assert differing == set(TextConfig.from_data)  # Of music: `data/test_midi_folder.py`.


def test_rules_name_what_there_is() -> None:
    names = {field.name for kind in TASKS.values() for field in dataclasses.fields(kind)}
    datasets = {name for kind in TASKS.values() for name in kind.named_datasets}
    known = {"task": TASKS, "preset": PRESETS, "model": MODEL_NAMES, "dataset": datasets}
    for when, fields in RULES:
        assert fields.keys() <= names
        for name, value in when.items():
            values = set(value) if isinstance(value, tuple) else {value}
            assert name in names if value is GIVEN else values <= set(known[name])


@pytest.mark.parametrize("model", MODEL_NAMES)
@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_valid_and_survive_json(preset: str, model: str) -> None:
    kind = next(kind for kind in TASKS.values() if emission_of(model, kind) in kind.emissions)
    config = kind.from_preset(preset, model)
    config.check()
    assert kind.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_flags_override_the_preset() -> None:
    config = parse_train_config(
        TextConfig,
        ["--preset", "paper", "--model", "lstm", "--batch-size", "7", "--max-steps", "9"],
    )
    assert (config.optimizer, config.learning_rate) == ("sgd", 20.0)  # Of the baseline's row.
    assert config.batch_size == 7
    assert (config.epochs, config.max_steps) == (None, 9)  # One limit lifts the preset's other.


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("batch_size", 0),
        ("max_steps", -1),
        ("elbo_samples", 0),
        ("learning_rate", float("nan")),
        ("learning_rate", float("inf")),
        ("learning_rate", 0.0),
        ("clip_norm", 0.0),
        ("seed", -1),
        ("seed", 2**31),
        ("final_decay", 1.5),
        ("kl_ramp", -1.0),
        ("plateau_factor", 0.5),
        ("checkpoint_steps", 0),
        ("valid_sequences", -1),
    ],
)
def test_impossible_values_are_refused_by_flag(field: str, value: float) -> None:
    with pytest.raises(UserError, match="--" + field.replace("_", "-")):
        TextConfig.from_preset("tiny", "af-af", **{field: value}).check()


def test_a_flag_without_effect_is_refused() -> None:
    for model, field, value in (
        ("lstm", "latent_size", 3),
        ("lstm", "made_units", 3),
        ("af-only", "dropout", 0.2),
    ):
        flag = "--" + field.replace("_", "-")
        with pytest.raises(UserError, match=rf"^{flag}: expected .*; got \(?{value}"):
            TextConfig.from_preset("tiny", model, **{field: value}).check()
    TextConfig.from_preset("tiny", "af-only", dropout=0.0).check()


def test_a_run_needs_an_end() -> None:
    with pytest.raises(UserError, match="--max-steps"):
        TextConfig(epochs=None, max_steps=None).check()


@pytest.mark.parametrize(
    ("flags", "limits"),
    [
        ("", (None, 2000)),
        ("--epochs 3", (3, None)),
        ("--max-steps 7", (None, 7)),
        ("--max-steps=7 --epochs 3", (3, 7)),
        ("--preset paper", (100, None)),
        ("--preset paper --max_steps 7", (None, 7)),
    ],
)
def test_one_limit_lifts_the_other_of_the_preset(flags: str, limits: tuple) -> None:
    config = parse_train_config(TextConfig, flags.split())
    assert (config.epochs, config.max_steps) == limits


def test_help_shows_the_defaults_of_the_preset(capsys: pytest.CaptureFixture[str]) -> None:
    for flags, default in ((["--preset", "paper", "--model", "lstm"], "20.0"), ([], "0.01")):
        with pytest.raises(SystemExit) as stop:
            parse_train_config(TextConfig, [*flags, "--help"])
        shown = " ".join(re.sub("[^ -~]", " ", capsys.readouterr().out).split())
        assert stop.value.code == 0
        assert f"Initial learning rate. (default: {default})" in shown
        assert "af-af, af-scf, " in shown and ", latent flows; or lstm, the discrete" in shown
        assert "--show-config Print every setting" in shown
        for table in (SCALAR_MAPS, HIDDEN_STRUCTURES, TIME_STRUCTURES):
            assert re.search(": " + ".*".join(table) + r"[^.]*\. None: from --model", shown)


def shown(
    kind: type[TrainConfig], flags: str, capsys: pytest.CaptureFixture[str]
) -> dict[str, tuple[str, str]]:
    """What `--show-config` prints: values and sources by name."""
    with pytest.raises(SystemExit) as stop:
        parse_train_config(kind, [*flags.split(), "--show-config"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    rows = [re.split(r"\s{2,}", line.strip()) for line in out.splitlines() if line[:1] == " "]
    starts = {
        tuple(m.start() for m in re.finditer(r"(?<=  )\S", line)) for line in out.splitlines()
    }
    assert len(starts - {()}) == 1, out  # The columns are aligned.
    return {name: (value, source) for name, value, source in rows}


@every_kind
def test_every_setting_is_shown(
    kind: type[TrainConfig], capsys: pytest.CaptureFixture[str]
) -> None:
    of_model = {field.name for field in dataclasses.fields(ModelConfig)}
    of_training = {field.name for field in dataclasses.fields(kind)} - {"made_units"}
    assert shown(kind, "", capsys).keys() == of_training | of_model


def test_every_value_has_its_source(capsys: pytest.CaptureFixture[str]) -> None:
    flags = "--preset paper --model iaf-scf --dataset musedata --data-dir /no/such --epochs 1 "
    flags += "--learning-rate 0.001 --no-compile-loops --made-units 60 --valid_samples=2"
    rows = shown(MusicConfig, flags, capsys)
    expected = {
        "model": ("iaf-scf", "--model"),
        "workdir": ("runs/iaf-scf-musedata-paper-0", "default"),
        "epochs": ("1", "--epochs"),
        "max_steps": ("-", "--epochs"),
        "batch_size": ("1", "preset paper, dataset musedata for music"),
        "kl_ramp": ("15", "preset paper for music"),
        "learning_rate": ("0.001", "--learning-rate"),  # That of the preset, but given.
        "valid_samples": ("2", "--valid-samples"),
        "valid_sequences": ("0", "preset paper"),
        "compile_loops": ("no", "--no-compile-loops"),
        "jit": ("no", "default"),
        "name": ("iaf-scf", "--model"),
        "time": ("iaf", "model iaf-scf"),
        "emission": ("bernoulli", "for music"),
        "max_length": ("from the data", "dataset musedata"),
        "latent_size": ("50", "preset paper"),
        "made_sizes": ("60, 60", "--made-units"),
        "dropout": ("0", "time iaf"),
        "vocabulary": ("-", "default"),
    }
    assert {name: rows[name] for name in expected} == expected
    rows = shown(TextConfig, "--model lstm", capsys)
    assert rows["kl_zero"] == ("0", "model lstm")
    assert rows["vocab_size"] == ("from the data", "dataset pydoc")
    assert rows["max_length"] == ("288", "default")
    assert rows["emitter_dropout"] == ("0", "no scalar")


def test_wrong_flags_are_refused_before_anything_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for flag in ("--batch-size", "--latent-size"):
        with pytest.raises(UserError, match=flag):
            parse_train_config(TextConfig, [flag, "0", "--show-config"])
    assert capsys.readouterr().out == ""


def test_it_is_shown_without_tensorflow_and_data(tmp_path: Path) -> None:
    code = """
import sys
from train import polyphonic_music
try:
    polyphonic_music.main(["--show-config", "--dataset", "jsb", "--data-dir", sys.argv[1]])
finally:
    assert "tensorflow" not in sys.modules and "keras" not in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "none")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "dataset jsb" in done.stdout
    assert not any(tmp_path.iterdir())
