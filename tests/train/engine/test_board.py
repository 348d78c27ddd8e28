"""TensorBoard's files: texts as they are, and no step twice after a resume."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tensorboard import shown
from train.backend.board import Board, text_table
from train.backend.event_files import drop_events_after
from train.support.units import BITS_PER_CHARACTER


def steps(directory: Path) -> list[int]:
    # The names of files of one second are in no order of time.
    return sorted(step for _, step, _ in shown(directory))


def test_a_resume_drops_the_steps_that_come_again(tmp_path: Path) -> None:
    first = Board(tmp_path, BITS_PER_CHARACTER)
    for step in range(1, 6):
        first.scalars("train", step, {"loss": 1.0 / step})
    first.scalars("valid", 2, {"loss": 1.0})
    first.text(4, "samples", ["sample"], [["a b"]])
    first.flush()
    second = Board(tmp_path, BITS_PER_CHARACTER)
    second.begin(3)
    second.scalars("train", 4, {"loss": 9.0})
    second.flush()
    assert steps(tmp_path / "train") == [1, 2, 3, 4]
    assert steps(tmp_path / "valid") == [2]


def test_a_record_that_was_cut_short_ends_its_file(tmp_path: Path) -> None:
    board = Board(tmp_path, BITS_PER_CHARACTER)
    for step in range(1, 4):
        board.scalars("train", step, {"loss": 1.0})
    board.flush()
    (path,) = (tmp_path / "train").iterdir()
    path.write_bytes(path.read_bytes()[:-5])
    drop_events_after(tmp_path, 10)
    assert steps(tmp_path) == [1, 2]


def test_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    drop_events_after(tmp_path / "none", 1)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a b", "a b"),
        (" a  b ", "&nbsp;a &nbsp;b&nbsp;"),
        ("<b>|", "&#60;b&#62;&#124;"),
        ("*a_b`", "&#42;a&#95;b&#96;"),
        ("\N{LATIN SMALL LETTER E WITH ACUTE}1", "\N{LATIN SMALL LETTER E WITH ACUTE}1"),
    ],
)
def test_a_cell_shows_its_text(text: str, shown: str) -> None:
    table = text_table(["text"], [[text]])
    assert table == f"| text |\n| --- |\n| <code>{shown}</code> |"
