"""A finished run as a pretrained model, by its name, in every program; and a run that starts there.

`tests/tf_latentflow/pretrained` has the folder and the library's side.
"""

from __future__ import annotations

import dataclasses
import hashlib
import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest

from export import pretrained as ship
from tests.models import LEAST_FLOW, make_model, rows
from tests.music_files import PIECE, random_rolls
from tf_latentflow import Card, PretrainedError, build_model, from_pretrained
from tf_latentflow.build import build_from
from tf_latentflow.pretrained import names
from tf_latentflow.pretrained.folder import read_folder
from tf_latentflow.vocabulary import UNKNOWN_ID
from train import char_lm, evaluate, sample
from train.data.music.config import MusicConfig
from train.data.music.midi import write_midi
from train.data.text.config import TextConfig
from train.engine.workdir import Workdir
from train.runs.saved_model import initial_model, load_model, save_model
from train.runs.saved_run import read_run
from train.runs.testing import split_results
from train.samples.midi_rolls import read_rolls, steps_per_beat_of, write_rolls
from train.settings.command import training_command
from train.settings.config import TrainConfig
from train.settings.parsing import parse_train_config
from train.support.errors import UserError
from train.support.files import read_json, write_json
from train.support.screen import Screen

RUN = ("--preset", "tiny", *LEAST_FLOW, "--max-steps", "2", "--eval-every", "2")
LINES = [f"le café a {i} chats" for i in range(60)]
ABOUT = 'description = "Cats and dogs."\ndata = "made up"\nlicense = "CC0"\nlimits = "No birds."\n'
CARD_FLAGS = ("--commit", "abc123", "--hardware", "a machine")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a text, a run on it, a file about it, and the model that it becomes."""
    folder = tmp_path_factory.mktemp("pretrained")
    (folder / "cats.txt").write_text("\n".join(LINES) + "\n", encoding="utf-8")
    (folder / "about.toml").write_text(ABOUT, encoding="utf-8")
    finish_a_run(folder / "run", TextConfig, folder / "cats.txt")
    main = ["--name", "cats", "--out", str(folder / "models")]
    ship.main([str(folder / "run"), *main, "--about", str(folder / "about.toml"), *CARD_FLAGS])
    return folder


def finish_a_run(path: Path, kind: type[TrainConfig], dataset: Path) -> None:
    """Leaves what a run leaves, all but its training; a nightly test has that too."""
    config = parse_train_config(kind, [*RUN, "--dataset", str(dataset)])
    corpus = config.load()
    model_config = config.model_config(**corpus.model_fields())
    settings = {"task": kind.task, **config.start_fields(), "train": config.to_dict()}
    settings |= {"dataset_sha256": corpus.sha256, "model": model_config.to_dict()}
    workdir = Workdir(path)
    workdir.claim(settings)
    keras.utils.set_random_seed(0)
    model = build_model(model_config)
    model.length_model.fit(np.array([len(line) for line in corpus.train]))
    save_model(model, workdir)
    sizes = {"num_samples": 4, "seed": 0, "batch_size": 8, "max_batch_steps": 0}
    test = split_results(model, corpus, corpus.test, config.unit, screen=Screen(), **sizes)
    train = {"steps": 2, "wall_seconds": 3600.0}
    write_json(workdir.results_file, {"test": test, "train": train, "samples": {}})
    (path / "samples").mkdir()
    (path / "samples.txt").write_text("\n".join(f"chat {i}" for i in range(200)) + "\n")


@pytest.fixture
def named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The model as one that comes with the package; the text is in the current folder."""
    monkeypatch.setattr(names, "_MODELS", folder / "models")
    monkeypatch.chdir(folder)
    return folder / "models" / "cats"


def test_a_run_becomes_a_model_with_a_card(folder: Path) -> None:
    found = read_folder(folder / "models" / "cats")
    card, results = found.card, read_json(folder / "run" / "results.json")
    assert (card.description, card.license, card.commit) == ("Cats and dogs.", "CC0", "abc123")
    assert (card.test.metric, card.test.value) == ("bpc", results["test"]["bpc"])
    assert (card.test.stderr, card.test.num_samples) == (results["test"]["bpc_stderr"], 4)
    assert (card.seed, card.steps, card.hours, card.hardware) == (0, 2, 1.0, "a machine")
    assert card.samples == tuple((folder / "run" / "samples.txt").read_text().split("\n")[:10])
    assert str(folder) not in (folder / "models" / "cats" / "pretrained.json").read_text()
    page = (folder / "models" / "cats" / "README.md").read_text()
    assert "No birds." in page and card.command in page
    original = load_model(read_run(folder / "run").source)
    for ours, theirs in zip(
        original.variables, from_pretrained(found.folder).variables, strict=True
    ):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-3, atol=1e-4)


def test_the_command_of_the_card_asks_for_the_same_run(folder: Path) -> None:
    command = read_folder(folder / "models" / "cats").card.command.split()
    assert command[:3] == ["python", "-m", "train.char_lm"]
    config, run = parse_train_config(TextConfig, command[3:]), read_run(folder / "run").config
    assert dataclasses.replace(config, dataset=run.dataset) == run


@pytest.mark.parametrize(
    ("kind", "flags"),
    [
        (TextConfig, ""),
        (TextConfig, "--preset=paper --model=lstm --epochs=3"),
        (TextConfig, "--max-steps=7 --no-compile-loops --jit --made-units=96 --dropout=0.1"),
        (TextConfig, "--epochs=3 --max-steps=1200"),
        (MusicConfig, "--dataset=jsb --steps-per-beat=4 --seed=3"),
    ],
)
def test_a_command_is_the_flags_that_are_no_defaults(kind: type, flags: str) -> None:
    config = parse_train_config(kind, flags.split())
    again = training_command(config).split()[3:]
    assert sorted(again) == sorted(flags.split())
    assert parse_train_config(kind, again) == config


def test_evaluate_by_name_gives_the_numbers_of_the_card(
    named: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate.main(["cats", "--json", "--samples", "4"])
    results, card = json.loads(capsys.readouterr().out), read_folder(named).card
    assert results["num_sequences"] == card.test.num_sequences
    assert abs(results["bpc"] - card.test.value) < 0.1 * card.test.stderr


def test_sample_by_name_and_the_list_of_names(
    named: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample.main(["cats", "-n", "2", "--length", "9"])
    printed = capsys.readouterr().out
    assert [len(line) for line in printed.split("\n")] == [9, 9, 0]
    sample.main(["--list"])
    assert "| cats | af-only | made up |" in capsys.readouterr().out


def test_what_is_no_model_is_one_line(named: Path, tmp_path: Path) -> None:
    for program in (sample, evaluate):
        with pytest.raises(UserError, match=r"pretrained model \(cats\) .* did you mean cats\?"):
            program.main(["cat"])
        with pytest.raises(UserError, match="is neither a run nor a pretrained model"):
            program.main([str(tmp_path)])
        broken = tmp_path / "broken"
        shutil.copytree(named, broken, dirs_exist_ok=True)
        (broken / "weights.npz").write_bytes(b"PK")
        with pytest.raises(UserError, match=r"weights\.npz does not match its checksum"):
            program.main([str(broken)])
    with pytest.raises(UserError, match="expected a MODEL"):
        sample.main([])
    with pytest.raises(PretrainedError, match=r"export\.pretrained converts it"):
        from_pretrained("run")


def test_other_data_than_the_model_has_learnt_are_refused(
    named: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"existing text file or folder; got 'cats\.txt'"):
        evaluate.main(["cats"])
    Path("cats.txt").write_text("\n".join(LINES[1:]), encoding="utf-8")
    with pytest.raises(UserError, match=r"cats\.txt is not the data that cats was trained on"):
        evaluate.main(["cats"])


def test_a_model_without_a_training_samples_and_is_evaluated_on_named_data(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = make_model("lstm", vocabulary=tuple("le c"), max_length=40)
    model.save_pretrained(tmp_path / "mine")
    with pytest.raises(UserError, match="does not say what it was trained on: give"):
        evaluate.main([str(tmp_path / "mine")])
    evaluate.main([str(tmp_path / "mine"), "--dataset", str(folder / "cats.txt"), "--json"])
    assert json.loads(capsys.readouterr().out)["num_unknown"] > 0


def test_a_run_on_music_ships_its_pieces_and_samples_go_to_the_current_folder(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pieces").mkdir()
    for i, roll in enumerate(random_rolls(20)):
        write_midi(Path("pieces", f"{i}.mid"), roll)
    finish_a_run(Path("run"), MusicConfig, Path("pieces"))
    write_midi(Path("run", "samples", "final-0.mid"), PIECE)
    about = ["--about", str(folder / "about.toml"), *CARD_FLAGS]
    ship.main(["run", "--name", "mine", "--out", ".", *about])
    found = read_folder(Path("mine"))
    assert found.card.test.metric == "nats_per_step"
    assert found.card.samples == ("samples/final-0.mid",)
    assert (found.folder / "samples" / "final-0.mid").exists()
    sample.main(["mine", "-n", "1", "--length", "4"])
    assert "samples/sample-0-0.mid" in capsys.readouterr().out.split("\n")
    assert Path("samples", "sample-0-0.mid").exists()


def test_settings_of_another_version_do_no_harm(tmp_path: Path) -> None:
    model = make_model("lstm", emission="bernoulli", vocab_size=88)
    run = {"task": "music", "train": {"steps_per_beat": 4, "no_more": 1}, "dataset_sha256": "0"}
    model.save_pretrained(tmp_path / "mine", Card(name="mine"), run=run)
    assert read_run(tmp_path / "mine").config.steps_per_beat == 4
    model.save_pretrained(tmp_path / "mine", Card(name="mine"), run={"task": "music"})
    with pytest.raises(UserError, match="cannot read the training settings"):
        read_run(tmp_path / "mine")


def test_midi_files_are_rolls_with_the_steps_of_the_model(tmp_path: Path) -> None:
    model = make_model("lstm", emission="bernoulli", vocab_size=88)
    assert steps_per_beat_of(model) == 2
    run = {"task": "music", "train": {"steps_per_beat": 4}, "dataset_sha256": "0"}
    model.save_pretrained(tmp_path, run=run)
    model = from_pretrained(tmp_path)
    assert steps_per_beat_of(model) == 4
    roll = np.zeros([6, 88], np.uint8)
    roll[:5, 40] = roll[2:, 44] = 1
    write_rolls(model, [roll], [tmp_path / "a.mid"])
    (again,) = read_rolls(model, [str(tmp_path / "a.mid")])
    np.testing.assert_array_equal(again, roll)
    np.testing.assert_array_equal(model.log_prob([again]), model.log_prob([roll]))


def test_weights_come_from_a_server_once(
    named: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served, local = tmp_path / "served", tmp_path / "models" / "cats"
    served.mkdir()
    handler = partial(_Quiet, directory=str(served))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}/cats.npz"
            from_pretrained("cats").save_pretrained(local, weights_url=url)
            (local / "weights.npz").rename(served / "cats.npz")
            monkeypatch.setattr(names, "_MODELS", local.parent)
            first = from_pretrained("cats")
            good = (served / "cats.npz").read_bytes()
            (served / "cats.npz").write_bytes(b"other")  # No longer asked for.
            again = from_pretrained("cats")
            shutil.rmtree(tmp_path / "cache")
            with pytest.raises(UserError, match="cats: refused the download .*; try again"):
                sample.main(["cats"])
        finally:
            server.shutdown()
            thread.join()
    np.testing.assert_array_equal(first.variables[2].numpy(), again.variables[2].numpy())
    assert hashlib.sha256(good).hexdigest() == read_folder(local).weights_sha256


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--name", "A b"), "--name expects a-z, 0-9 and - only; got 'A b'"),
        (("--name", "cats"), "already exists: choose another --name, or give --force"),
        (("--name", "b"), "lacks description, data, license, limits: give --description"),
        (("--name", "b", "--about", "cats.txt"), "is not valid TOML"),
        (("--name", "b", "--about", "bad.toml"), "expected description, .*; got 'size'"),
    ],
)
def test_a_card_that_cannot_be_is_refused(
    named: Path, flags: tuple[str, ...], message: str
) -> None:
    Path("bad.toml").write_text("size = 3\n")
    with pytest.raises(UserError, match=message):
        ship.main(["run", "--out", "models", *flags])
    with pytest.raises(UserError, match="is not the folder of a finished run"):
        ship.main([str(named), "--out", "models", "--name", "b", "--about", "about.toml"])


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
    settings = {"task": "text", **config.start_fields(), "train": config.to_dict()}
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
        (("--init-from", "cast"), "did you mean cats"),
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
    flags = [*start_flags(birds), "--init-from", "run", "--dropout", "0.4", "--model", "af-only"]
    model = parse_train_config(TextConfig, flags).model_config()
    assert (model.name, model.dropout) == ("af-only", 0.4)
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
    ("name", "conditioner"),
    [*rows([("af-af", "lstm"), ("iaf-scf", "lstm"), ("codebook", "lstm"), ("lstm", None)])]
    + [("codebook", "conv:1"), ("codebook", "attention:1")],
)
def test_every_variable_of_symbols_or_positions_has_rows_to_keep(
    name: str, conditioner: str | None
) -> None:
    """Of a model with other symbols and more steps, all that the two share is the first one's."""
    sizes = {"hidden_size": 7, "latent_size": 3, "flow_layers": 1, "made_sizes": (5, 5)}
    old = make_model(name, vocabulary=tuple("abcd"), conditioner=conditioner, **sizes)
    config = dataclasses.replace(old.config, vocabulary=tuple("xdbyz"), vocab_size=7, max_length=11)
    new = build_from(config, old.config, [(v.path, v.numpy()) for v in old.variables])
    shared = {0: 0, 1: 1, 3: 5, 4: 3}
    changed = 0
    for before, after in zip(old.variables, new.variables, strict=True):
        if before.shape == after.shape:
            np.testing.assert_array_equal(before.numpy(), after.numpy())
        elif before.shape[0] == 6:
            changed += 1
            for i, j in shared.items():
                np.testing.assert_array_equal(after.numpy()[i], before.numpy()[j])
        else:
            assert (before.shape[0], after.shape[0]) == (9, 11)
            np.testing.assert_array_equal(after.numpy()[:9], before.numpy())
    assert changed >= 2
