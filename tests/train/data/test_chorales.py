"""Bach's chorales of music21's corpus."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.music_files import PIECE, random_rolls
from train.data.music import chorales
from train.data.music.sets import load_music

_FILES = ("bwv66.6.mxl", "bwv269.mxl", "bwv277.krn", "bwv277.mxl", "bwv1.6.mxl", "bwv347.mxl")


@pytest.fixture
def few_chorales(monkeypatch, tmp_path):
    from music21 import corpus as music21_corpus

    corpus = {Path(path).name: Path(path) for path in music21_corpus.getComposer("bach")}
    files = [corpus[name] for name in _FILES] + [corpus["bwv66.6.mxl"]]
    monkeypatch.setattr(chorales, "_corpus_files", lambda: files)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "tf_latentflow"


def test_chorales_are_those_in_four_voices_and_kept(few_chorales, monkeypatch, capsys):
    music = load_music("chorales")
    rolls = [*music.train, *music.valid, *music.test]
    # Not the second version in another format, not the one with horns, bwv66.6 not twice.
    assert len(rolls) == 4
    assert capsys.readouterr().err == "chorales: parsed 7 of 7 files of music21\n"
    monkeypatch.setattr(chorales, "_parse_corpus", lambda: pytest.fail("parsed again"))
    assert load_music("chorales").sha256 == music.sha256
    assert len(list(few_chorales.iterdir())) == 1


def test_chorale_in_eighth_notes(few_chorales):
    roll = chorales._parse(chorales._corpus_files()[0])
    # Soprano c# b a b, alto e f# e, tenor a b c# b, bass a g# f# g#: two eighths, two quarters.
    chords = [set(np.flatnonzero(step) + 21) for step in roll[:6]]
    f_sharp_minor, e_major = {54, 61, 66, 69}, {56, 59, 64, 71}
    assert chords == [{57, 64, 73}, e_major, f_sharp_minor, f_sharp_minor, e_major, e_major]
    assert len(roll) == 72  # Nine bars of four quarters, the upbeat among them.


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 cut", None])
def test_damaged_cache_is_made_anew(few_chorales, monkeypatch, damage):
    monkeypatch.setattr(chorales, "_parse_corpus", lambda: random_rolls(5))
    before = load_music("chorales").sha256
    (path,) = few_chorales.iterdir()
    good = path.read_bytes()
    if damage is None:
        np.savez(path, roll=PIECE, lengths=[len(PIECE) + 1])
    else:
        path.write_bytes(damage)
    assert load_music("chorales").sha256 == before
    assert path.read_bytes()[-100:] == good[-100:]


def test_cache_that_cannot_be_written_is_done_without(few_chorales, monkeypatch, capsys):
    few_chorales.write_text("a file where the folder would be")
    monkeypatch.setattr(chorales, "_parse_corpus", lambda: random_rolls(5))
    assert len(load_music("chorales").train) == 3
    assert "chorales: not kept for the next run" in capsys.readouterr().err
