"""`train.evaluate` on data of the user's own: all of it, or the split that is asked for."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.finished_runs import finish_run
from tf_latentflow import build_model
from train import evaluate
from train.data.music.config import MusicConfig
from train.data.music.midi import write_midi
from train.data.text.config import TextConfig
from train.engine.buckets import lengths_of
from train.settings.config import TrainConfig
from train.support.errors import UserError, run_program

LINES = [f"le café a {i % 7} chats et {i} chiens" for i in range(120)]

Evaluate = Callable[..., tuple[dict[str, Any], str]]


def write_lines(path: Path, lines: list[str]) -> str:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def write_piece(path: Path, root: int, num_steps: int = 12) -> None:
    roll = np.zeros([num_steps, 88], np.uint8)
    roll[:, [root, root + 4, root + 7]] = 1
    write_midi(path, roll)


def run_of(config: TrainConfig, folder: Path) -> Path:
    """A finished run on a dataset, with its first weights."""
    dataset = config.load()
    model_config = config.model_config(**dataset.model_fields())
    model = build_model(model_config)
    model.length_model.fit(lengths_of(dataset.encode(model_config, dataset.train)))
    return finish_run(folder / "run", model, config)


@pytest.fixture(scope="module")
def text_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("text")
    dataset = write_lines(folder / "trained.txt", LINES)
    return run_of(TextConfig.from_preset("tiny", "lstm", dataset), folder)


@pytest.fixture(scope="module")
def music_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("music")
    (folder / "pieces").mkdir()
    for i in range(9):
        write_piece(folder / "pieces" / f"{i}.mid", 30 + i)
    return run_of(MusicConfig.from_preset("tiny", "lstm", str(folder / "pieces")), folder)


@pytest.fixture
def run_evaluate(capsys: pytest.CaptureFixture[str]) -> Evaluate:
    """Returns the numbers and what stands on standard error."""

    def run(workdir: Path, dataset: str | Path, *flags: str) -> tuple[dict[str, Any], str]:
        capsys.readouterr()
        evaluate.main([str(workdir), "--dataset", str(dataset), "--json", *flags])
        captured = capsys.readouterr()
        return json.loads(captured.out), captured.err

    return run


def test_a_file_is_evaluated_whole(
    text_run: Path, tmp_path: Path, run_evaluate: Evaluate, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = write_lines(tmp_path / "mine.txt", LINES)
    results, said = run_evaluate(text_run, dataset)
    assert results["num_sequences"] == 120
    assert f"dataset {dataset}: 120 sentences" in said
    evaluate.main([str(text_run), "--dataset", dataset])
    assert "the whole dataset, bits per character" in capsys.readouterr().out
    # Its mean is that of its parts, and so no line was counted twice.
    symbols, nats = 0, 0.0
    for name, lines in (("a.txt", LINES[:50]), ("b.txt", LINES[50:])):
        part, _ = run_evaluate(text_run, write_lines(tmp_path / name, lines))
        symbols += (size := sum(len(line) + 1 for line in lines))
        nats += part["bpc"] * size
    assert results["bpc"] == pytest.approx(nats / symbols, rel=1e-5)


@pytest.mark.parametrize("num_lines", [1, 3])
def test_a_file_of_few_lines_is_evaluated(
    num_lines: int,
    text_run: Path,
    tmp_path: Path,
    run_evaluate: Evaluate,
    capsys: pytest.CaptureFixture[str],
) -> None:
    few = write_lines(tmp_path / "few.txt", LINES[:num_lines])
    results, _ = run_evaluate(text_run, few)
    assert results["num_sequences"] == num_lines
    assert math.isfinite(results["bpc"])
    # One line does not show how much lines differ.
    assert (results["bpc_stderr"] is None) == (num_lines == 1)
    evaluate.main([str(text_run), "--dataset", few])
    assert ("+-" in capsys.readouterr().out) == (num_lines > 1)


def test_a_folder_without_splits_is_evaluated_whole_and_one_with_splits_is_not(
    text_run: Path, tmp_path: Path, run_evaluate: Evaluate
) -> None:
    for name, size in (("train.txt", 9), ("more.TXT", 2)):
        write_lines(tmp_path / name, LINES[:size])
    assert run_evaluate(text_run, tmp_path)[0]["num_sequences"] == 11
    for name, size in (("valid.txt", 4), ("test.txt", 3)):
        write_lines(tmp_path / name, LINES[:size])
    for flags, size in (([], 3), (["--split", "valid"], 4), (["--split", "train"], 9)):
        assert run_evaluate(text_run, tmp_path, *flags)[0]["num_sequences"] == size


def test_a_split_of_a_file_is_what_its_hash_deals(
    text_run: Path, tmp_path: Path, run_evaluate: Evaluate
) -> None:
    dataset = write_lines(tmp_path / "mine.txt", LINES)
    splits = ("train", "valid", "test")
    parts = [run_evaluate(text_run, dataset, "--split", split) for split in splits]
    assert sum(results["num_sequences"] for results, _ in parts) == 120
    assert parts[2][0]["num_sequences"] < 30
    assert "note: the test split was chosen by a hash; without --split, the whole" in parts[2][1]
    with pytest.raises(UserError, match="leaves no sentence .* without --split, the whole dataset"):
        run_evaluate(text_run, write_lines(tmp_path / "few.txt", LINES[:2]), "--split", "test")


def test_long_lines_are_counted_and_nothing_else_is_refused(
    text_run: Path,
    tmp_path: Path,
    run_evaluate: Evaluate,
    capsys: pytest.CaptureFixture[str],
) -> None:
    long = ["x" * 289, "y" * 5000]
    dataset = write_lines(tmp_path / "some.txt", [*LINES[:5], *long])
    results, _ = run_evaluate(text_run, dataset)
    assert (results["num_sequences"], results["num_too_long"]) == (5, 2)
    evaluate.main([str(text_run), "--dataset", dataset])
    assert "sentences left out                   2  longer than" in capsys.readouterr().out
    only_long = write_lines(tmp_path / "all.txt", long)
    with pytest.raises(SystemExit) as exit_info:
        run_program(lambda: evaluate.main([str(text_run), "--dataset", only_long]))
    assert exit_info.value.code == 2
    assert capsys.readouterr().err == (
        f"error: expected sentences of at most 288 characters in {only_long!r}; all 2 are longer "
        "than the model allows; use shorter ones\n"
    )


def test_what_is_left_out_and_another_unicode_form_are_said(
    text_run: Path, tmp_path: Path, run_evaluate: Evaluate
) -> None:
    decomposed = LINES[3].replace("é", "e\N{COMBINING ACUTE ACCENT}")
    marked = f"{LINES[4]}\N{ZERO WIDTH NO-BREAK SPACE}"
    results, said = run_evaluate(text_run, write_lines(tmp_path / "a.txt", [decomposed, marked]))
    assert results["num_unknown"] == 1
    assert "1 byte order mark within the text removed" in said
    assert "note: the text is not in the Unicode form that the model was trained in" in said
    assert "note" not in run_evaluate(text_run, write_lines(tmp_path / "b.txt", LINES[:9]))[1]


def test_a_data_dir_of_an_own_file_is_refused(text_run: Path, tmp_path: Path) -> None:
    dataset = write_lines(tmp_path / "mine.txt", LINES)
    with pytest.raises(UserError, match="--data-dir is only for the dataset ptb"):
        evaluate.main([str(text_run), "--dataset", dataset, "--data-dir", str(tmp_path)])


@pytest.mark.nightly
def test_music_without_splits_is_evaluated_whole(
    music_run: Path, tmp_path: Path, run_evaluate: Evaluate
) -> None:
    write_piece(tmp_path / "a.mid", 40)
    results, said = run_evaluate(music_run, tmp_path)
    assert results["num_sequences"] == 1
    assert f"dataset {tmp_path}: 1 piece (12 steps), not divided" in said
    assert run_evaluate(music_run, tmp_path / "a.mid")[0] == results
    with pytest.raises(UserError, match="at least 3 different MIDI files .* without --split"):
        run_evaluate(music_run, tmp_path, "--split", "test")
    write_piece(tmp_path / "b.mid", 41)
    write_piece(tmp_path / "long.mid", 42, num_steps=16)  # 15 steps are the most: 1.25 * 12.
    os.mkfifo(tmp_path / "pipe.mid")
    results, said = run_evaluate(music_run, tmp_path)
    assert (results["num_sequences"], results["num_too_long"]) == (2, 1)
    assert "1 left out" in said and "pipe.mid: left out" in said and "it is a pipe" in said
    with pytest.raises(UserError, match="all 1 are longer"):
        run_evaluate(music_run, tmp_path / "long.mid")


def test_music_that_cannot_be_read_is_refused(music_run: Path, tmp_path: Path) -> None:
    (tmp_path / "a.mid").write_bytes(b"no music")
    os.mkfifo(tmp_path / "pipe.mid")
    for dataset, message in (
        (tmp_path / "a.mid", "it cannot be read"),
        (tmp_path / "pipe.mid", "it is a pipe"),
        (tmp_path, "pipe.mid.*, and 1 more"),
        (tmp_path / "none.mid", "expected a dataset: chorales, .* folder of MIDI files; got"),
    ):
        with pytest.raises(UserError, match=message):
            evaluate.main([str(music_run), "--dataset", str(dataset)])
