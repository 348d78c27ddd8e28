"""The folder of a run: who may use it, and what lies where in it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import filelock

from train.support.errors import UserError
from train.support.files import TEMPORARY_PREFIX, read_json, write_json

__all__ = ["Workdir"]

_CURE = "choose another --workdir"


class Workdir:
    """Paths of a run's files, and the rule that a folder holds one run.

    | file                | what                                                                  |
    |---------------------|-----------------------------------------------------------------------|
    | `config.json`       | all settings, the model's config with the vocabulary, dataset checksum |
    | `resumes.json`      | steps at which the run went on after it had been stopped              |
    | `checkpoints/`      | state of the run                                                      |
    | `tensorboard/`      | event files, `train/` and `valid/`: `tensorboard --logdir WORKDIR`    |
    | `model.keras`       | the best weights, once the run has finished                           |
    | `results.json`      | the test, once it is finished too                                     |
    | `samples.txt`       | samples of the finished model, one a line (text)                      |
    | `samples/`          | samples of the finished model, MIDI files and pictures (music)        |
    """

    def __init__(self, path: Path) -> None:
        """Names a folder; touches no file."""
        self.path = path
        self.config_file = path / "config.json"
        self.resumes_file = path / "resumes.json"
        self.results_file = path / "results.json"
        self.model_file = path / "model.keras"
        self.checkpoints = path / "checkpoints"
        self.tensorboard = path / "tensorboard"
        self._lock = filelock.FileLock(path / ".lock", blocking=False)

    def check(self, settings: Mapping[str, Any]) -> None:
        """Refuses a folder that a run with these settings may not use; changes nothing.

        Args:
          settings: Entries of the run's config; those of the folder's config.json must be equal.

        Raises:
          UserError: If the folder holds another run or other files, or cannot be written.
        """
        path = self.path
        if path.exists() and not path.is_dir():
            raise UserError(f"{path} is a file and not a folder: {_CURE}")
        if not path.exists():
            parent = next(p for p in path.absolute().parents if p.exists())
            if not parent.is_dir():
                raise UserError(f"{parent} is a file and not a folder: {_CURE}")
            if not os.access(parent, os.W_OK | os.X_OK):
                raise UserError(f"no permission to write in {parent}: {_CURE}")
            return
        if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            raise UserError(f"no permission to write in {path}: {_CURE}")
        if not self.config_file.exists():
            # A run that was killed before it wrote its config may have left its lock.
            others = sorted(p.name for p in path.iterdir() if not _is_ours_before_config(p.name))
            if others:
                raise UserError(f"{path} holds other files ({', '.join(others[:3])}): {_CURE}")
            return
        # As JSON sees them: tuples are lists there.
        different = _differences(self.read_config(), json.loads(json.dumps(settings)))
        if different:
            raise UserError(
                f"{path} holds a run with other settings ({'; '.join(different)}): {_CURE}"
            )

    def claim(self, config: Mapping[str, Any]) -> None:
        """Takes the folder for this process and writes config.json, unless it is there already.

        Raises:
          UserError: As `check`, or if another process is using the folder.
        """
        self.check(config)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except filelock.Timeout:
            raise UserError(f"another process is training in {self.path}: {_CURE}") from None
        except OSError as error:
            raise UserError(f"cannot write in {self.path} ({error.strerror}): {_CURE}") from None
        self.check(config)  # Another process may have been faster.
        if not self.config_file.exists():
            write_json(self.config_file, config)

    def read_config(self) -> dict[str, Any]:
        """Returns the content of config.json.

        Raises:
          UserError: If it is not there or not readable.
        """
        try:
            config = read_json(self.config_file)
        except FileNotFoundError:
            raise UserError(
                f"{self.path} holds no run: give the folder of a finished training"
            ) from None
        except (OSError, ValueError) as error:
            raise UserError(f"cannot read {self.config_file} ({error}): {_CURE}") from None
        if not isinstance(config, dict):
            raise UserError(f"{self.config_file} is not the config of a run: {_CURE}")
        return config


def _is_ours_before_config(name: str) -> bool:
    return name == ".lock" or name.startswith(TEMPORARY_PREFIX)


def _differences(there: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """Returns where the settings asked for are not those that are there, as readable text."""
    found = []
    for name, value in asked.items():
        other = there.get(name)
        if isinstance(value, Mapping) and isinstance(other, Mapping):
            found += _differences(other, value)
        elif value != other:
            short = isinstance(value, (str, int, float, type(None)))
            found.append(f"{name} is {other}, not {value}" if short else f"another {name}")
    return found
