"""The kinds of data by name, each with the settings of its runs, which load the dataset."""

from __future__ import annotations

from collections.abc import Mapping

from train.data.music.config import MusicConfig
from train.data.text.config import TextConfig

__all__ = ["TASKS"]

TASKS: Mapping[str, type[TextConfig] | type[MusicConfig]] = {
    config.task: config for config in (TextConfig, MusicConfig)
}
