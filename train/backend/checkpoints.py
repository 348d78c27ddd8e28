"""Checkpoints of TensorFlow's variables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from train.engine.checkpoint_folders import CheckpointFolders
from train.support.digests import sha256_of

__all__ = ["CheckpointStore", "weights_sha256"]


class CheckpointStore:
    """Saves and restores models, optimisers and variables, see `CheckpointFolders`."""

    def __init__(
        self, directory: Path, keep: int = 3, report: Callable[[str], None] = print, **objects: Any
    ) -> None:
        """Makes the store; touches no file.

        Args:
          directory: Where the checkpoints lie.
          keep: Number of newest checkpoints that are kept.
          report: Told, in one line, which checkpoint was passed over and why.
          **objects: What is saved: models, built optimisers, lists of variables.
        """
        self._folders = CheckpointFolders(directory, keep, report)
        self._checkpoint = tf.train.Checkpoint(**objects)

    @property
    def steps(self) -> list[int]:
        """Steps of the checkpoints that are there, oldest first; the damaged ones too."""
        return self._folders.steps

    def save(self, step: int, state: dict[str, Any]) -> None:
        """Saves the objects and `state` (JSON values) as the checkpoint of `step`."""
        self._folders.save(
            step, state, lambda folder: self._checkpoint.write(str(folder / "variables"))
        )

    def restore(self) -> dict[str, Any] | None:
        """Restores the objects from the newest whole checkpoint, and returns its state.

        Returns:
          The state, or None if there is no whole checkpoint: the objects are then as they were.

        Raises:
          ValueError: If a whole checkpoint does not fit the objects.
        """
        found = self._folders.newest()
        if found is None:
            return None
        path, state = found
        try:
            status = self._checkpoint.read(str(path / "variables"))
            status.assert_existing_objects_matched()
        except (AssertionError, ValueError) as error:
            raise ValueError(f"expected a checkpoint of this model; got {path}") from error
        return state


def weights_sha256(model: keras.Model) -> str:
    """Returns one checksum of all trainable weights, in the order in which the model made them.

    Names have no part in it: Keras numbers them through a whole process.
    """
    return sha256_of(_content(model))


def _content(model: keras.Model) -> Iterator[bytes]:
    for variable in model.trainable_variables:
        value = np.ascontiguousarray(variable.numpy())
        yield f"{value.shape} {value.dtype.str}\n".encode()
        yield value.tobytes()
