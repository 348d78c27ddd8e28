"""A run that starts with the weights of a pretrained model, or of another run."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest

from export import pretrained as ship
from tests.models import make_model, rows
from tests.train.pretrained.runs import CARD_FLAGS
from tf_latentflow import from_pretrained
from tf_latentflow.build import build_from
from tf_latentflow.pretrained.folder import read_folder
from tf_latentflow.vocabulary import UNKNOWN_ID
from train import char_lm, evaluate, sample
from train.data.music.config import MusicConfig
from train.data.text.config import TextConfig
from train.engine.workdir import Workdir
from train.runs.saved_model import initial_model, load_model
from train.runs.saved_run import read_run
from train.settings.parsing import parse_train_config
from train.support.errors import UserError


@pytest.fixture
def birds(tmp_path: Path) -> Iterator[Path]:
    """Another text, with characters that the cats have not."""
    path = tmp_path / "birds.txt"
    path.write_text("\n".join(f"{i} Vögel" for i in range(60)), encoding="utf-8")
    return path


def start_flags(dataset: Path, *flags: str) -> list[str]:
    return ["--preset", "tiny", "--init-from", "cats", "--dataset", str(dataset), *flags]


def check_that_it_started_there(tuned: keras.Model) -> None:
    start = from_pretrained("cats")
    ours, theirs = "".join(tuned.config.vocabulary), "".join(start.config.vocabulary)
    assert set(ours) - set(theirs) == {"V", "ö", "g", "l"} - set(theirs) != set()
    rows, before = tuned.symbols.embedding.numpy(), start.symbols.embedding.numpy()
    for i, character in enumerate(ours, start=2):
        other = theirs.index(character) + 2 if character in theirs else UNKNOWN_ID
        assert np.allclose(rows[i], before[other], atol=1e-6) == (character in theirs)
    np.testing.assert_allclose(tuned.variables[-1], start.variables[-1], atol=1e-6)


def test_a_run_starts_with_the_weights_of_a_model(named: Path, birds: Path) -> None:
    config = parse_train_config(TextConfig, start_flags(birds))
    model_config = config.model_config(**config.load().model_fields())
    check_that_it_started_there(initial_model(config, model_config)())
    assert model_config.hidden_size == read_folder(named).model.hidden_size


def test_a_run_remembers_where_it_started(named: Path, birds: Path, tmp_path: Path) -> None:
    config = parse_train_config(TextConfig, start_flags(birds))
    settings = config.run_fields()
    assert settings["init_from"] == "cats"
    assert settings["init_from_sha256"] == read_folder(named).weights_sha256
    workdir = Workdir(tmp_path / "run")
    workdir.claim(settings)
    moved = dataclasses.replace(config, init_from=str(named))
    workdir.check({**settings, **moved.start_fields()})
    anew = dataclasses.replace(config, init_from=None).start_fields()
    with pytest.raises(UserError, match="init_from_sha256 is .*, not None"):
        workdir.check({**settings, **anew})
    other = dataclasses.replace(config, init_from=str(named.parent.parent / "run"))
    with pytest.raises(UserError, match="init_from_sha256 is"):
        workdir.check({**settings, **other.start_fields()})


@pytest.mark.nightly
def test_a_run_that_starts_from_a_model_ends_goes_on_and_is_shipped(
    named: Path, birds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A step of no size: the weights are those of the start."""
    flags = start_flags(birds, "--workdir", str(tmp_path / "run"), "--learning-rate", "1e-30")
    for steps in ("1", "2"):
        char_lm.main([*flags, "--max-steps", steps])
    check_that_it_started_there(load_model(read_run(tmp_path / "run").source))
    capsys.readouterr()
    char_lm.main([*flags, "--max-steps", "2"])
    assert "this run has finished" in capsys.readouterr().out
    about = ["--about", "about.toml", *CARD_FLAGS]
    ship.main([str(tmp_path / "run"), "--name", "birds", "--out", str(tmp_path / "m"), *about])
    assert "--init-from=cats" in read_folder(tmp_path / "m" / "birds").card.command
    evaluate.main([str(tmp_path / "m" / "birds"), "--dataset", str(birds)])
    sample.main([str(tmp_path / "m" / "birds"), "-n", "1"])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--model", "lstm"), "--model expects af-only, like cats; got lstm; leave out"),
        (("--hidden-size", "7"), "--hidden-size expects 16, like cats; got 7; leave out"),
        (
            ("--init-from", "cast"),
            "^--init-from: .* did you mean cats.*if the model has moved",
        ),
    ],
)
def test_a_model_that_is_not_that_of_the_start_is_refused(
    named: Path, birds: Path, flags: tuple[str, ...], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        parse_train_config(TextConfig, start_flags(birds, *flags))


def test_a_start_of_another_kind_is_refused(named: Path) -> None:
    with pytest.raises(UserError, match="expects a model of music; got cats"):
        parse_train_config(MusicConfig, ["--init-from", "cats"])


def test_a_run_is_a_start_too_and_dropout_is_free(named: Path, birds: Path) -> None:
    flags = [*start_flags(birds), "--init-from", "run", "--emitter-dropout", "0.4"]
    model = parse_train_config(TextConfig, flags).model_config()
    assert (model.name, model.emitter_dropout) == ("af-only", 0.4)
    assert model.hidden_size == read_folder(named).model.hidden_size


def test_show_config_says_what_comes_from_the_start(
    named: Path, birds: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse_train_config(TextConfig, start_flags(birds, "--show-config"))
    lines = {  # The first word of a line may also be the title of a group.
        words[0]: words[1:]
        for words in map(str.split, capsys.readouterr().out.split("\n"))
        if len(words) > 1
    }
    assert lines["init_from"] == ["cats", "--init-from"]
    assert lines["model"] == ["af-only", "--init-from"]
    assert lines["hidden_size"] == ["16", "--init-from"]
    assert lines["vocab_size"][:3] == ["from", "the", "data"]


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        *rows([(name, {}) for name in ("af-af", "iaf-scf", "codebook", "lstm")]),
        ("codebook", {"conditioner": "conv:1"}),
        ("codebook", {"conditioner": "attention:1"}),
        ("codebook", {"conditioner": "window:2"}),
        ("codebook", {"conditioner": "conv:1", "emitter": "conv:1"}),
        ("codebook", {"time": "multiscale", "conditioner": "conv:1", "time_layers": 2}),
        ("codebook", {"time": "multiscale", "conditioner": "window:2", "time_layers": 2}),
    ],
)
def test_every_variable_of_symbols_or_positions_has_rows_to_keep(
    name: str, choices: dict[str, object]
) -> None:
    """Of a model with other symbols and more steps, all that the two share is the first one's."""
    sizes = {"hidden_size": 7, "latent_size": 3, "flow_layers": 1, "made_sizes": (5, 5)}
    old = make_model(name, vocabulary=tuple("abcd"), **choices, **sizes)
    config = dataclasses.replace(old.config, vocabulary=tuple("xdbyz"), vocab_size=7, max_length=11)
    new = build_from(config, old.config, [(v.path, v.numpy()) for v in old.variables])
    shared = {0: 0, 1: 1, 3: 5, 4: 3}
    changed = 0
    for before, after in zip(old.variables, new.variables, strict=True):
        if before.shape == after.shape:
            np.testing.assert_array_equal(before.numpy(), after.numpy())
        elif before.shape[0] in (6, 7):  # A two-sided network reads something else, too.
            changed += 1
            for i, j in shared.items():
                np.testing.assert_array_equal(after.numpy()[i], before.numpy()[j])
            np.testing.assert_array_equal(after.numpy()[7:], before.numpy()[6:])
        else:
            assert (before.shape[0], after.shape[0]) == (9, 11)
            np.testing.assert_array_equal(after.numpy()[:9], before.numpy())
    assert changed >= 2
