"""What a finished run prints of its samples."""

from pathlib import Path

import pytest

from train.engine.run_files import RunFiles
from train.samples.printed import PRINTERS


def test_deleted_samples_are_said_to_be_gone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    PRINTERS["text"](RunFiles(tmp_path), {"share_of_known_words": 0.5})
    out = capsys.readouterr().out
    assert "0.500  of the words in 200 samples" in out
    assert f"({tmp_path / 'samples.txt'} is gone)" in out
    (tmp_path / "samples.txt").write_text("one\ntwo\n")
    PRINTERS["text"](RunFiles(tmp_path), {"share_of_known_words": 0.5})
    assert "  one\n  two\n" in capsys.readouterr().out


def test_damaged_samples_are_shown_as_far_as_they_can_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "samples.txt").write_bytes(b"one\nt\xffo\n")
    PRINTERS["text"](RunFiles(tmp_path), {"share_of_known_words": 0.5})
    assert "  one\n  t\ufffdo\n" in capsys.readouterr().out
