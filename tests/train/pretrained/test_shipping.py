"""A finished run as a pretrained model, by its name, in every program.

`tests/tf_latentflow/pretrained` has the folder and the library's side.
"""

from __future__ import annotations

import dataclasses
import hashlib
import http.server
import json
import shutil
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from export import pretrained as ship
from tests.models import make_model
from tests.music_files import PIECE, random_rolls
from tests.train.pretrained.runs import CARD_FLAGS, LINES, finish_a_run
from tf_latentflow import Card, PretrainedError, from_pretrained
from tf_latentflow.pretrained import names
from tf_latentflow.pretrained.folder import read_folder
from train import evaluate, sample
from train.data.music.config import MusicConfig
from train.data.music.midi import write_midi
from train.data.text.config import TextConfig
from train.runs.saved_model import load_model
from train.runs.saved_run import read_run
from train.samples.midi_rolls import read_rolls, steps_per_beat_of, write_rolls
from train.settings.command import training_command
from train.settings.parsing import parse_train_config
from train.support.errors import UserError
from train.support.files import read_json


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
        (TextConfig, "--epochs=3 --max-steps=2000"),
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
    with pytest.raises(UserError, match=r"cats was trained on, 'cats\.txt', are not here"):
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


@pytest.mark.nightly
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
        (
            ("--name", "thesis", "--force"),
            "--force replaces a pretrained model, but .*thesis is not one",
        ),
        (("--name", "b"), "lacks description, data, license, limits: give --description"),
        (("--name", "b", "--about", "cats.txt"), "is not valid TOML"),
        (("--name", "b", "--url", "weights.example/w.npz"), "--url: expected an address http://"),
        (("--name", "b", "--about", "bad.toml"), "expected description, .*; got 'size'"),
    ],
)
def test_a_card_that_cannot_be_is_refused(
    named: Path, flags: tuple[str, ...], message: str
) -> None:
    Path("bad.toml").write_text("size = 3\n")
    chapter = Path("models/thesis/chapter.tex")
    chapter.parent.mkdir(exist_ok=True)
    chapter.write_text("precious")
    with pytest.raises(UserError, match=message):
        ship.main(["run", "--out", "models", *flags])
    with pytest.raises(UserError, match="is not the folder of a finished run"):
        ship.main([str(named), "--out", "models", "--name", "b", "--about", "about.toml"])
    assert chapter.read_text() == "precious"
