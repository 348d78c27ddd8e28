"""The event files of TensorBoard as data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError

from train.support.files import is_temporary, whole_file

__all__ = ["SECONDS", "drop_events_after", "read_scalar"]

#: Tag of the time of the training so far, at each validation.
SECONDS = "training/seconds"

_Event = tf.compat.v1.Event


def read_scalar(directory: Path, tag: str) -> dict[int, float]:
    """Returns the values of a scalar in the event files in and under a folder, by step, ascending.

    Args:
      directory: The folder; it need not exist.
      tag: Name of the scalar.
    """
    values = {}
    for path in _files(directory):
        for event in _events(path):
            for value in event.summary.value:
                if value.tag == tag:
                    values[event.step] = tf.make_ndarray(value.tensor).item()
    return dict(sorted(values.items()))


def drop_events_after(directory: Path, step: int) -> None:
    """Removes the events of steps after `step` from the event files in and under a folder.

    TensorBoard's own way of doing this depends on its reader. A file is cut at a damaged record,
    such as one that was not written completely when the process was killed.
    """
    for path in _files(directory):
        kept, dropped = [], False
        try:
            for record in _records(path):
                late = _Event.FromString(record).step > step
                dropped |= late
                if not late:
                    kept.append(record)
        except (tf.errors.DataLossError, DecodeError):
            dropped = True
        if dropped:
            with whole_file(path) as temporary, tf.io.TFRecordWriter(str(temporary)) as writer:
                for record in kept:
                    writer.write(record)


def _files(directory: Path) -> list[Path]:
    found = sorted(directory.rglob("events.out.tfevents.*"))
    return [path for path in found if not is_temporary(path)]


def _records(path: Path) -> Iterator[bytes]:
    yield from tf.data.TFRecordDataset(str(path)).as_numpy_iterator()


def _events(path: Path) -> Iterator[tf.compat.v1.Event]:
    """The events of a file, up to a record that is damaged or still being written."""
    try:
        for record in _records(path):
            yield _Event.FromString(record)
    except (tf.errors.DataLossError, DecodeError):
        return
