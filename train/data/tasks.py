"""The kinds of data by name: what a run on each is told, which loads its dataset."""

from __future__ import annotations

from collections.abc import Mapping

from train.data.music.config import MusicConfig
from train.data.text.config import TextConfig

__all__ = ["TASKS"]

TASKS: Mapping[str, type[TextConfig] | type[MusicConfig]] = {
    config.task: config for config in (TextConfig, MusicConfig)
}
