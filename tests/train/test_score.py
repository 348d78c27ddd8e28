"""Lines of text and their bits: `train.score`."""

from __future__ import annotations

import contextlib
import gc
import gzip
import io
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.finished_runs import finish_run
from tests.models import LEAST_FIELDS, make_model
from train import score
from train.data.text.config import TextConfig
from train.data.text.line_stream import Line, stream_lines
from train.runs.saved_model import load_model
from train.runs.saved_run import read_run
from train.support.errors import UserError


@pytest.mark.parametrize("packed", [False, True])
def test_lines_of_any_size(packed: bool) -> None:
    text = "\ufeffone\r\n\n  zwei  \n" + "x" * 200_000 + "\n" + " " * 200_000 + "\udcff\nlast"
    data = text.encode("utf-8", "surrogateescape")
    stream = io.BufferedReader(io.BytesIO(gzip.compress(data) if packed else data))
    assert list(stream_lines(stream, 5)) == [
        Line(1, "one", 3),
        Line(2, "", 0),
        Line(3, "zwei", 4),
        Line(4, None, 200_000),
        Line(5, "\ufffd", 1),
        Line(6, "last", 4),
    ]


def test_lines_end_as_in_training() -> None:
    data = io.BufferedReader(io.BytesIO(b"one\rtwo\r\nthree\n"))
    assert [line.text for line in stream_lines(data, 9)] == ["one", "two", "three"]
    assert not data.closed


def test_what_is_no_text_is_refused() -> None:
    data = io.BufferedReader(io.BytesIO("one\ntwo".encode("utf-16")))
    with pytest.raises(UserError, match="expected text in UTF-8; .*a zero byte in line 1"):
        list(stream_lines(data, 9))


CHARACTERS = tuple("abcdenorw1234 ")


@pytest.fixture(params=["flow", "baseline"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The folder of a finished run, untrained."""
    sizes = {"vocabulary": CHARACTERS, "vocab_size": len(CHARACTERS) + 2, "max_length": 40}
    name, fields = ("af-only", LEAST_FIELDS) if request.param == "flow" else ("lstm", {})
    model = make_model(name, **sizes, **fields)
    return finish_run(tmp_path / "run", model, TextConfig.from_preset("tiny"))


LINES = "word1 and end1\n\n" + "word2 " * 5 + "word2\n" + "x" * 300 + "\nwörd\n"


def test_the_bits_of_lines_and_characters(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "lines.txt"
    file.write_text(LINES, encoding="utf-8")
    capsys.readouterr()
    flags = [str(run), "--samples", "100", "--format", "jsonl", "--per-character"]
    score.main([*flags, str(file)])
    printed = capsys.readouterr()
    rows = [json.loads(line) for line in printed.out.splitlines()]
    assert [(row["line"], row["characters"]) for row in rows] == [
        *((1, 14), (2, 0), (3, 35), (4, 300), (5, 4))
    ]
    assert [row["unknown"] for row in rows] == [0, 0, 0, 0, 1]
    for row in (rows[1], rows[3]):
        assert row["bits"] is row["bits_per_character"] is None and row["character_bits"] == []
    model = load_model(read_run(run).source)
    for row in (rows[0], rows[2], rows[4]):
        assert len(row["character_bits"]) == row["characters"]
        assert row["bits_per_character"] == pytest.approx(row["bits"] / (row["characters"] + 1))
        log_length = float(model.length_model.log_prob(row["characters"]))
        assert row["length_bits"] == pytest.approx(-log_length / math.log(2), rel=1e-5)
        bound = row["length_bits"] + np.sum(row["character_bits"])
        if model.config.is_flow:
            assert bound > row["bits"]
        else:
            assert bound == pytest.approx(row["bits"], rel=1e-5)
    for said in ("1 character unknown", "1 line of more than 40", "1 blank line"):
        assert said in printed.err

    # A line's numbers do not depend on its neighbours; a table has them too.
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"word1 and end1\n")))
    score.main([str(run), "--samples", "100"])
    head, line = capsys.readouterr().out.splitlines()
    assert head == "line\tcharacters\tunknown\tbits\tbits_per_character"
    assert float(line.split("\t")[3]) == pytest.approx(rows[0]["bits"], rel=1e-4)

    # A table without a line is a table too.
    file.write_text("", encoding="utf-8")
    score.main([str(run), str(file), "--per-character"])
    assert capsys.readouterr().out == f"{head}\tlength_bits\tcharacter_bits\n"


def test_lines_before_a_zero_byte_are_scored(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "lines.txt"
    file.write_bytes(b"word1\nword2\nwo\0rd\nword4\n")
    capsys.readouterr()
    bits = []
    for seed, samples in (("0", "2"), ("1", "2"), ("0", "3")):
        flags = ["--samples", samples, "--seed", seed, "--format", "jsonl"]
        with pytest.raises(UserError, match="a zero byte in line 3"):
            score.main([str(run), *flags, str(file)])
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [row["line"] for row in rows] == [1, 2]
        bits.append(rows[0]["bits"])
    assert len(set(bits)) == (3 if read_run(run).model_config.is_flow else 1)


def test_output_that_is_not_read_to_its_end(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`train.score RUN large.txt | head` ends without a word, with the text half read."""
    file = tmp_path / "lines.txt"
    file.write_text("word1\n" * 3000, encoding="utf-8")
    ignored: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda fault: ignored.append(fault.exc_value))
    lines = iter(range(3))

    def leave(*args: object, **kwargs: object) -> None:
        if next(lines) == 2:
            raise BrokenPipeError

    with monkeypatch.context() as patch:
        patch.setattr("builtins.print", leave)
        # Not `pytest.raises`, which keeps the frames alive.
        with contextlib.suppress(BrokenPipeError):
            score.main([str(run), "--samples", "1", str(file)])
            pytest.fail("expected a BrokenPipeError")
    gc.collect()
    assert not ignored


def test_what_is_refused(tmp_path: Path) -> None:
    for flags, message in ((["--samples", "0"], "--samples expects"), (["--seed", "-1"], "--seed")):
        with pytest.raises(UserError, match=message):
            score.main([str(tmp_path), *flags])
