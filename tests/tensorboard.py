"""What TensorBoard shows of a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

__all__ = ["scalar_steps", "scalars", "shown"]


def shown(folder: Path) -> Iterator[tuple[str, int, tf.compat.v1.Summary.Value]]:
    """Folder, step and value of all in a folder and below, in the order of the files' names."""
    for path in sorted(folder.rglob("events.*")):
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            event = tf.compat.v1.Event.FromString(record)
            yield from ((path.parent.name, event.step, value) for value in event.summary.value)


def scalars(workdir: Path) -> dict[tuple[int, str], float]:
    """What TensorBoard shows of the steps of a run, but for the speed, by step and tag."""
    return {
        (step, value.tag): float(tf.make_ndarray(value.tensor))
        for _, step, value in shown(workdir / "tensorboard" / "train")
        if not value.tag.endswith("_per_second")
    }


def scalar_steps(workdir: Path) -> dict[str, list[int]]:
    """Returns the steps at which each split's tags stand, in the order of the files."""
    steps: dict[str, list[int]] = {}
    for split, step, value in shown(workdir / "tensorboard"):
        # A window in which everything was traced has no rate.
        if not value.tag.endswith("_per_second"):
            steps.setdefault(f"{split}:{value.tag}", []).append(step)
    return steps
