"""Piano rolls as pictures: time runs to the right, pitch upwards."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from train.data.music.rolls import (
    DEFAULT_STEPS_PER_BEAT,
    HIGHEST_NOTE,
    LOWEST_NOTE,
    NUM_NOTES,
    notes_of,
)
from train.support.figures import figure_png, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["roll_png"]

_BEATS_PER_BAR = 4  # A roll does not contain the metre; this is the most common one.
_BEATS_PER_ROW = 128  # A longer piece continues in another row below, as in a score.
_MAX_LABELS = 12  # Maximum number of labelled beats per row.
_MARGIN = 3  # Semitones around the notes that sound.
_MIN_RANGE = 24  # Minimum number of semitones shown.

_DPI = 100
_WIDTH = 10.0  # Inches, as all of these.
_SEMITONE = 0.045
_ROW_EXTRA = 0.25
_PICTURE_EXTRA = 0.55
_NOTE_HEIGHT = 0.8  # Semitones.
_NOTE_COLOUR = "#1f4e8c"
_GIVEN_COLOUR = "#9a9a9a"
_GRID_COLOUR = "#d9d9d9"


def roll_png(
    roll: np.ndarray,
    title: str,
    steps_per_beat: int = DEFAULT_STEPS_PER_BEAT,
    given: np.ndarray | None = None,
) -> bytes:
    """Draws a piano roll.

    Args:
      roll: `[T, 88]` of 0 and 1.
      title: Written above the picture.
      steps_per_beat: Steps per quarter note.
      given: Bool, broadcast to the shape of `roll`: what was given, which is grey. None: nothing.

    Returns:
      A PNG file with beats and bars of four, cropped to the pitches that occur. A piece of more
      than 128 beats has several rows.

    Raises:
      ValueError: `roll` is not `[T, 88]` with `T >= 1`, or `steps_per_beat` is not positive.
    """
    roll = np.asarray(roll)
    if roll.ndim != 2 or roll.shape[0] < 1 or roll.shape[1] != NUM_NOTES:
        raise ValueError(f"expected a roll [T, 88] with T of at least 1; got shape {roll.shape}")
    if steps_per_beat < 1:
        raise ValueError(f"expected steps_per_beat of at least 1; got {steps_per_beat}")
    # A figure without pyplot has no state outside this function, and needs no display.
    notes, known = (
        np.array(notes_of(part), int).reshape(-1, 3)  # Rows of pitch, start, end.
        for part in (roll, np.where(False if given is None else given, roll, 0))
    )
    low, high = _pitch_range(notes[:, 0])
    beats = len(roll) / steps_per_beat
    num_rows = math.ceil(beats / _BEATS_PER_ROW)
    beats_per_row = beats if num_rows == 1 else _BEATS_PER_ROW
    height = num_rows * ((high - low) * _SEMITONE + _ROW_EXTRA) + _PICTURE_EXTRA
    figure = new_figure(_WIDTH, height, _DPI)
    # A file's name may have a "$", and bytes that are no UTF-8.
    title = title.encode("utf-8", "replace").decode("utf-8")
    figure.suptitle(title, fontsize="medium", parse_math=False)
    rows = figure.subplots(num_rows, squeeze=False)[:, 0]
    for i, axes in enumerate(rows):
        start = i * beats_per_row
        _draw_grid(axes, low, high, start, start + beats_per_row)
        _draw_notes(axes, notes, steps_per_beat, _NOTE_COLOUR)
        _draw_notes(axes, known, steps_per_beat, _GIVEN_COLOUR)
    rows[-1].set_xlabel("beats", fontsize="small")
    return figure_png(figure)


def _pitch_range(pitches: np.ndarray) -> tuple[float, float]:
    """Returns the lower and upper edge of the pitches to show, in MIDI numbers."""
    if not pitches.size:
        pitches = np.array([60])
    low, high = int(pitches.min()) - _MARGIN, int(pitches.max()) + _MARGIN
    missing = max(0, _MIN_RANGE - (high - low))
    low, high = low - missing // 2, high + missing - missing // 2
    return max(low, LOWEST_NOTE) - 0.5, min(high, HIGHEST_NOTE) + 0.5


def _draw_grid(axes: Axes, low: float, high: float, start: float, end: float) -> None:
    """Sets the limits and draws octaves, bars and their labels, from beat `start` to `end`."""
    octaves = range(1, 9)
    axes.set_yticks([12 * (octave + 1) for octave in octaves], [f"C{n}" for n in octaves])
    interval = _BEATS_PER_BAR if end - start > _BEATS_PER_BAR else 1
    while (end - start) / interval > _MAX_LABELS:
        interval *= 2
    axes.set_xticks(np.arange(start, end + 1e-6, _BEATS_PER_BAR), minor=True)
    axes.set_xticks(np.arange(start, end + 1e-6, interval))
    axes.grid(which="both", color=_GRID_COLOUR, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", length=0, labelsize="small")
    axes.spines[:].set_color(_GRID_COLOUR)
    axes.set_xlim(start, end)
    axes.set_ylim(low, high)


def _draw_notes(axes: Axes, notes: np.ndarray, steps_per_beat: int, colour: str) -> None:
    """Draws notes, rows of `pitch, start, end`; what is outside the limits is cut off."""
    from matplotlib.collections import PolyCollection

    pitch, start, end = notes.T
    first, last = (beat * steps_per_beat for beat in axes.get_xlim())
    pitch, start, end = (column[(start < last) & (end > first)] for column in (pitch, start, end))
    left, right = start / steps_per_beat, end / steps_per_beat
    low, high = pitch - _NOTE_HEIGHT / 2, pitch + _NOTE_HEIGHT / 2
    corners = [[left, low], [right, low], [right, high], [left, high]]
    # One collection for all: thousands of bars would take seconds.
    axes.add_collection(
        PolyCollection(np.moveaxis(np.array(corners), -1, 0), facecolor=colour), autolim=False
    )
