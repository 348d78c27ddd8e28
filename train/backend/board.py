"""What TensorBoard shows of a run; a resumed run shows no step twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from train.engine.loop.record import Record
from train.support.files import is_temporary, whole_file
from train.support.units import Unit

__all__ = ["Board", "drop_events_after", "text_table"]


class Board(Record):
    """Writes what one run measures, and texts and pictures beside it.

    What is measured on a split lies in a folder of the split's name, which TensorBoard takes for a
    run: a tag that two splits have is one chart with two curves.
    """

    def __init__(
        self, directory: Path, unit: Unit, show: Callable[[Board, int], None] | None = None
    ) -> None:
        """Opens nothing yet.

        Args:
          directory: Of the folders of the splits.
          unit: Of the losses.
          show: Writes what else a validation shows, from the board and the step.
        """
        self._directory = directory
        self._unit = unit
        self._show = show
        self._writers: dict[str, tf.summary.SummaryWriter] = {}

    def begin(self, step: int) -> None:
        drop_events_after(self._directory, step)

    def window(self, step: int, scalars: Mapping[str, float]) -> None:
        self.scalars("train", step, scalars)

    def validation(self, step: int, report: Mapping[str, Any], best: bool) -> None:
        unit = self._unit.name
        names = (unit, f"reconstruction_{unit}", f"kl_{unit}")
        values = {f"loss/{name}": report[name] for name in names if report[name] is not None}
        self.scalars("valid", step, values)
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
        self, split: str, step: int, tag: str, header: Sequence[str], rows: Sequence[Sequence[str]]
    ) -> None:
        """Writes a table of texts, shown character by character as they are."""
        with self._writer(split).as_default(step=step):
            tf.summary.text(tag, text_table(header, rows))

    def images(self, split: str, step: int, tag: str, pngs: Sequence[bytes]) -> None:
        """Writes PNG files as one row of pictures, smaller ones with white to the right and below.

        Raises:
          ValueError: If there is none.
        """
        if not pngs:
            raise ValueError("expected at least one picture; got none")
        pictures = [tf.io.decode_png(png, channels=3).numpy() for png in pngs]
        # A summary has one size for all its pictures.
        height, width = (max(picture.shape[axis] for picture in pictures) for axis in (0, 1))
        padded = np.full([len(pictures), height, width, 3], 255, np.uint8)
        for place, picture in zip(padded, pictures, strict=True):
            place[: picture.shape[0], : picture.shape[1]] = picture
        with self._writer(split).as_default(step=step):
            tf.summary.image(tag, padded, max_outputs=len(pictures))

    def _writer(self, split: str) -> tf.summary.SummaryWriter:
        """Returns what writes to a split's file, which it opens if it is the first to ask."""
        if split not in self._writers:
            self._writers[split] = tf.summary.create_file_writer(str(self._directory / split))
        return self._writers[split]


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a Markdown table in which spaces, brackets and markup in a cell survive.

    TensorBoard renders text as Markdown with HTML allowed and sanitised, so a cell is a `code`
    element whose every character that HTML or Markdown could take for its own is an entity.
    """
    lines = [list(header), ["---"] * len(header), *([_verbatim(c) for c in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _verbatim(text: str) -> str:
    """Returns HTML that shows `text` unchanged within a Markdown table, wrapped at its spaces."""
    shown = []
    for i, c in enumerate(text):
        if c == " ":
            # Only a single space between others is sure to be shown, and only there may lines wrap.
            inner = 0 < i < len(text) - 1 and text[i - 1] != " "
            shown.append(" " if inner else "&nbsp;")
        else:
            shown.append(c if c.isalnum() else f"&#{ord(c)};")
    return f"<code>{''.join(shown)}</code>"


def drop_events_after(directory: Path, step: int) -> None:
    """Rewrites the event files in and under a folder without the events of steps after `step`.

    TensorBoard's own way to do so depends on its reader. A record that a kill cut short, or that is
    damaged in another way, ends its file.
    """
    for path in sorted(directory.rglob("events.out.tfevents.*")):
        if is_temporary(path):
            continue
        kept, dropped = [], False
        try:
            for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
                late = tf.compat.v1.Event.FromString(record).step > step
                dropped |= late
                if not late:
                    kept.append(record)
        except (tf.errors.DataLossError, DecodeError):
            dropped = True
        if dropped:
            with whole_file(path) as temporary, tf.io.TFRecordWriter(str(temporary)) as writer:
                for record in kept:
                    writer.write(record)
