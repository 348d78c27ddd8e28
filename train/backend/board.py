"""Writes the numbers, texts and pictures of a run for TensorBoard, each step once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from train.backend.event_files import SECONDS, drop_events_after
from train.engine.loop.record import Record
from train.support.units import Unit

__all__ = ["Board", "text_table"]


class Board(Record):
    """Writes event files with the measurements of a run, and with texts and pictures.

    The measurements of each split are in a folder with its name. TensorBoard treats each of these
    folders as a run, so that a tag of both splits gives one chart with two curves.
    """

    def __init__(
        self, directory: Path, unit: Unit, show: Callable[[Board, int], None] | None = None
    ) -> None:
        """Opens no file yet.

        Args:
          directory: Parent of the folders of the splits.
          unit: Unit of the losses.
          show: Called with the board and the step at each validation, to write texts or pictures.
        """
        self._directory = directory
        self._unit = unit
        self._show = show
        self._writers: dict[str, tf.summary.SummaryWriter] = {}

    def begin(self, step: int) -> None:
        drop_events_after(self._directory, step)

    def window(self, step: int, scalars: Mapping[str, float]) -> None:
        self.scalars("train", step, scalars)

    def validation(self, step: int, seconds: float, report: Mapping[str, Any], best: bool) -> None:
        values = {f"loss/{name}": value for name, value in self._unit.losses(report).items()}
        self.scalars("valid", step, {**values, SECONDS: seconds})
        if self._show:
            self._show(self, step)
        self.flush()

    def flush(self) -> None:
        for writer in self._writers.values():
            writer.flush()

    def scalars(self, split: str, step: int, values: Mapping[str, float]) -> None:
        """Writes one value for each tag."""
        with self._writer(split).as_default(step=step):
            for tag, value in values.items():
                tf.summary.scalar(tag, value)

    def text(
        self, step: int, tag: str, header: Sequence[str], rows: Sequence[Sequence[str]]
    ) -> None:
        """Writes a table of texts, which are shown unchanged, beside the validation."""
        with self._writer("valid").as_default(step=step):
            tf.summary.text(tag, text_table(header, rows))

    def images(self, step: int, tag: str, pngs: Sequence[bytes]) -> None:
        """Writes PNG files as one row beside the validation; smaller ones get white margins.

        Raises:
          ValueError: There are no pictures.
        """
        if not pngs:
            raise ValueError("expected at least one picture; got none")
        pictures = [tf.io.decode_png(png, channels=3).numpy() for png in pngs]
        # All pictures of a summary have the same size.
        height, width = (max(picture.shape[axis] for picture in pictures) for axis in (0, 1))
        padded = np.full([len(pictures), height, width, 3], 255, np.uint8)
        for place, picture in zip(padded, pictures, strict=True):
            place[: picture.shape[0], : picture.shape[1]] = picture
        with self._writer("valid").as_default(step=step):
            tf.summary.image(tag, padded, max_outputs=len(pictures))

    def _writer(self, split: str) -> tf.summary.SummaryWriter:
        """Returns the writer of a split, which is opened when it is first used."""
        if split not in self._writers:
            self._writers[split] = tf.summary.create_file_writer(str(self._directory / split))
        return self._writers[split]


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a Markdown table in which spaces, brackets and markup in a cell are kept.

    TensorBoard renders texts as Markdown that may contain HTML. Each cell is therefore a `code`
    element, in which every character with a meaning in HTML or Markdown is an entity.
    """
    lines = [list(header), ["---"] * len(header), *([_verbatim(c) for c in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _verbatim(text: str) -> str:
    """Returns HTML that shows `text` unchanged within a Markdown table, wrapped at its spaces."""
    shown = []
    for i, c in enumerate(text):
        if c == " ":
            # Browsers keep a single space between other characters, and may break lines only there.
            inner = 0 < i < len(text) - 1 and text[i - 1] != " "
            shown.append(" " if inner else "&nbsp;")
        else:
            shown.append(c if c.isalnum() else f"&#{ord(c)};")
    return f"<code>{''.join(shown)}</code>"
