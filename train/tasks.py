"""The kinds of data by name."""

from __future__ import annotations

from collections.abc import Mapping

from train.music.task import MusicTask
from train.task import Task
from train.text.task import TextTask

__all__ = ["TASKS"]

TASKS: Mapping[str, Task] = {"text": TextTask(), "music": MusicTask()}
