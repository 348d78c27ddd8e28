"""Pictures of piano rolls, TensorBoard's rows of them, and the numbers beside them."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.tensorboard import shown
from train.backend.board import Board
from train.data.music.config import MusicConfig
from train.data.music.rolls import Note, roll_of
from train.samples import music
from train.samples.roll_pictures import roll_png
from train.samples.roll_statistics import (
    held_share,
    known_chord_share,
    notes_per_step,
    pitch_range,
    silent_share,
    summary,
)


def pixels(png: bytes) -> np.ndarray:
    return tf.io.decode_png(png, channels=3).numpy()


def note_pixels(png: bytes) -> np.ndarray:
    """Where a picture has the colour of the notes, which is blue as nothing else is."""
    red, _, blue = np.moveaxis(pixels(png).astype(int), -1, 0)
    return blue - red > 80


def test_time_runs_to_the_right_and_pitch_upwards() -> None:
    # A long low note in the first half and a short high one in the last eighth.
    png = roll_png(roll_of([Note(60, 0, 16), Note(72, 28, 32)], 32), "two notes")
    rows, columns = np.nonzero(note_pixels(png))
    middle = (rows.min() + rows.max()) / 2
    low, high = columns[rows > middle], columns[rows < middle]
    width = high.max() + 1 - low.min()  # Of 32 steps.
    assert low.max() + 1 - low.min() == pytest.approx(width / 2, abs=3)
    assert high.max() + 1 - high.min() == pytest.approx(width / 8, abs=3)
    assert len(set(rows)) < 12  # Two bars of some pixels' height, with nothing between.


def test_what_was_given_is_grey() -> None:
    roll = roll_of([Note(60, 0, 16)], 16)
    first_half = np.arange(16)[:, None] < 8
    whole, half, none = (
        np.nonzero(note_pixels(roll_png(roll, "", given=given)))[1]
        for given in (None, first_half, np.ones([16, 88], bool))
    )
    assert half.min() == pytest.approx((whole.min() + whole.max()) / 2, abs=2)
    assert half.max() == whole.max() and not none.size


def test_beats_not_steps_are_what_is_drawn() -> None:
    notes = [Note(60, 0, 3), Note(64, 4, 8)]
    twice = [Note(pitch, 2 * start, 2 * end) for pitch, start, end in notes]
    assert roll_png(roll_of(notes, 8), "x", 2) == roll_png(roll_of(twice, 16), "x", 4)


def test_pitches_are_cropped_to_what_sounds() -> None:
    narrow, wide = (
        pixels(roll_png(roll_of([Note(p, 0, 4) for p in pitches], 4), ""))
        for pitches in ((60, 64), (21, 108))
    )
    assert narrow.shape[0] < wide.shape[0] / 2
    assert narrow.shape[1] == wide.shape[1]


def test_a_long_piece_has_rows() -> None:
    melody = np.zeros([600, 88], np.uint8)  # 300 beats: two rows, and a third that is not full.
    melody[:, 40] = 1
    lines = note_pixels(roll_png(melody, "long")).sum(axis=1)
    starts = np.flatnonzero((lines > 0) & (np.roll(lines, 1) == 0))
    first, second, third = lines[starts + 1]
    assert first == second
    assert third == pytest.approx(first * (300 - 256) / 128, abs=3)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, bool])
def test_any_dtype_and_any_title(dtype: type) -> None:
    roll = roll_of([Note(60, 0, 2)], 2).astype(dtype)
    assert note_pixels(roll_png(roll, "no $mathematics^{ here")).any()


def test_silence_is_a_picture_too() -> None:
    assert not note_pixels(roll_png(np.zeros([1, 88], np.uint8), "")).any()


def test_a_disk_that_fills_up_leaves_no_half_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def fill_up(path: Path, content: bytes) -> int:
        if path.suffix != ".png":
            return write(path, content)
        write(path, content[:9])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill_up)
    roll = roll_of([Note(60, 0, 2)], 2)
    with pytest.raises(OSError, match="No space"):
        music._write_piece(tmp_path / "a.mid", b"piece", roll, MusicConfig())
    assert [path.name for path in tmp_path.iterdir()] == ["a.mid"]


def test_refuses_what_is_no_roll() -> None:
    for roll, steps_per_beat in (
        (np.zeros([0, 88]), 2),
        (np.zeros([5, 87]), 2),
        (np.zeros([88]), 2),
        (np.zeros([5, 88]), 0),
    ):
        with pytest.raises(ValueError, match=r"expected .*; got"):
            roll_png(roll, "", steps_per_beat)


def test_board_shows_pictures_of_unlike_sizes_as_one_row(tmp_path: Path) -> None:
    first, second = (np.full([*size, 3], c, np.uint8) for size, c in (((2, 5), 10), ((4, 3), 20)))
    board = Board(tmp_path, MusicConfig.unit)
    board.images(7, "samples", [tf.io.encode_png(x).numpy() for x in (first, second)])
    with pytest.raises(ValueError, match=r"expected .*; got"):
        board.images(7, "samples", [])
    board.flush()
    ((split, step, value),) = shown(tmp_path)
    assert (split, step, value.tag) == ("valid", 7, "samples")
    width, height, *pngs = tf.make_ndarray(value.tensor)
    assert (width, height) == (b"5", b"4")
    for png, picture in zip(pngs, (first, second), strict=True):
        found = pixels(png)
        rows, columns, _ = picture.shape
        np.testing.assert_array_equal(found[:rows, :columns], picture)
        assert (found[rows:] == 255).all() and (found[:, columns:] == 255).all()


def test_statistics_of_known_rolls() -> None:
    # Steps: {60}, {60, 64}, {64}, {}; and one step {70}, which has no next.
    rolls = [roll_of([Note(60, 0, 2), Note(64, 1, 3)], 4), roll_of([Note(70, 0, 1)], 1)]
    assert notes_per_step(rolls) == pytest.approx(5 / 5)
    assert held_share(rolls) == pytest.approx(2 / 4)
    assert silent_share(rolls) == pytest.approx(1 / 5)
    assert summary([roll.astype(np.int32) for roll in rolls]) == {
        "notes_per_step": notes_per_step(rolls),
        "held_share": held_share(rolls),
        "silent_share": silent_share(rolls),
    }


def test_chords_and_range_of_known_rolls() -> None:
    rolls = [roll_of([Note(60, 0, 2), Note(64, 1, 3)], 4), roll_of([Note(70, 0, 1)], 1)]
    assert pitch_range(rolls) == (60, 70)
    assert known_chord_share(rolls, rolls) == 1.0
    assert known_chord_share(rolls, rolls[1:]) == pytest.approx(1 / 5)
    assert known_chord_share(rolls[1:], rolls[:1]) == 0.0
    with pytest.raises(ValueError, match="expected rolls with notes; got none"):
        pitch_range([np.zeros([3, 88], np.uint8)])


def test_statistics_of_silence_and_of_nothing() -> None:
    assert summary([np.zeros([3, 88], np.uint8)]) == {
        "notes_per_step": 0.0,
        "held_share": 0.0,
        "silent_share": 1.0,
    }
    assert summary([]) == {"notes_per_step": 0.0, "held_share": 0.0, "silent_share": 0.0}


def test_the_name_of_a_file_need_not_be_text() -> None:
    roll = roll_of([Note(60, 0, 4)], 4)
    # Bytes that are no UTF-8 are lone surrogates in Python.
    np.testing.assert_array_equal(
        pixels(roll_png(roll, "caf\udce9")), pixels(roll_png(roll, "caf?"))
    )
