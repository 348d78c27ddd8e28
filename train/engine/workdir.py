"""The folder of a run: its settings, its results, and who may use it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import filelock

from train.engine.differences import (
    LIMITS,
    describe_difference,
    differences,
    is_extension,
    other_fields,
    with_defaults,
)
from train.engine.run_files import RunFiles
from train.support.errors import UserError
from train.support.files import (
    clear_leftovers,
    is_temporary,
    read_json_or_refuse,
    whole_file,
    write_json,
)

__all__ = ["FORMAT", "ConfigFileError", "Workdir"]

# Incremented when the files of a run change their meaning: the fields of config.json, or the state
# and variables of checkpoints. A run without a format has format 1. A run of the same format may
# lack a field that is newer, and was trained with what is now its default. Another default is
# another meaning.
FORMAT = 6

# Settings without influence on what is trained: a run can resume with others.
_INTERVALS = ("checkpoint_steps", "log_steps")
_CURE = "choose another --workdir"
_ANEW = "train again in a new --workdir"


class ConfigFileError(UserError):
    """The config.json of a run is damaged or from another version."""


class Workdir(RunFiles):
    """The folder of a run, and the rule that it contains only one."""

    def __init__(
        self, path: Path, defaults: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
    ) -> None:
        """Only remembers its arguments; touches no file.

        Args:
          path: The folder.
          defaults: Values of the fields that config.json may lack, by section.
        """
        super().__init__(path)
        self._defaults = _as_json(defaults)
        self._lock = filelock.FileLock(path / ".lock", blocking=False)

    @property
    def has_finished(self) -> bool:
        """Whether the run has finished, even if it was extended after that."""
        return self.results_file.exists() or any(self.path.glob("results-*.json"))

    def check(self, settings: Mapping[str, Any], writing: bool = True) -> None:
        """Checks that a run with these settings may use the folder; changes nothing.

        The location of the data is not a setting, because `dataset_sha256` identifies them. A
        finished run may be given a larger limit.

        Args:
          settings: Entries of the run's config, to compare with the folder's config.json.
          writing: Whether the folder must be writable.

        Raises:
          UserError: The folder contains another run or other files, or cannot be written.
            `ConfigFileError` for a run that this version does not know.
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
        mode = os.R_OK | os.X_OK | (os.W_OK if writing else 0)
        if not os.access(path, mode):
            raise UserError(f"no permission to {'write' if writing else 'read'} in {path}: {_CURE}")
        if not self.config_file.exists():
            # A run that was killed before it wrote its config may have left its lock.
            others = sorted(p.name for p in path.iterdir() if not _is_ours_before_config(p))
            if others:
                raise UserError(f"{path} holds other files ({', '.join(others[:3])}): {_CURE}")
            return
        different = self._differences(settings)
        if self.has_finished:
            different = {n: pair for n, pair in different.items() if not is_extension(n, *pair)}
        if "dataset_sha256" in different:
            raise self._other_data()
        if different:
            lines = "; ".join(describe_difference(n, *pair) for n, pair in different.items())
            raise UserError(f"{path} holds a run with other settings ({lines}): {_CURE}")

    def check_results_data(self, sha256: str) -> None:
        """Checks that data, given by their digest, are those of results.json.

        Raises:
          UserError: They are not.
        """
        if self.read_results().get("dataset_sha256", sha256) != sha256:
            raise self._other_data()

    def is_extended_by(self, settings: Mapping[str, Any]) -> bool:
        """Whether settings that passed `check` give a finished run a larger limit."""
        return any(name in LIMITS for name in self._differences(settings))

    def claim(self, config: Mapping[str, Any]) -> AbstractContextManager[object]:
        """Claims the folder for this process and writes config.json.

        The folder is released at the end of a `with` block over the returned object, or else when
        this `Workdir` is no longer referenced.

        Unfinished files of earlier processes are removed. If a finished run gets a larger limit,
        its results and model so far are kept with the number of steps in their names.

        Raises:
          UserError: As for `check`, or another process is using the folder.
        """
        self.check(config)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            claimed = self._lock.acquire()
        except filelock.Timeout:
            raise UserError(f"another process is training in {self.path}: {_CURE}") from None
        except OSError as error:
            raise UserError(f"cannot write in {self.path} ({error.strerror}): {_CURE}") from None
        self.check(config)  # Another process may have been faster.
        clear_leftovers(self.path, self.checkpoints, self.samples_folder, self.tensorboard)
        if not self.config_file.exists():
            write_json(self.config_file, {"format": FORMAT, **config})
        elif self._differences(config, but=()):
            if self._differences(config):
                self._keep_first_end()
            write_json(self.config_file, {**self.read_config(), **config})
        return claimed

    def read_config(
        self, known: Mapping[str, Collection[str]] = MappingProxyType({})
    ) -> dict[str, Any]:
        """Returns the content of config.json, with the defaults of the fields that it lacks.

        Args:
          known: The names of the fields known to this version, by section.

        Raises:
          UserError: It does not exist. `ConfigFileError` if it is damaged, has another format, has
            unknown fields, or lacks some without a default.
        """
        file = self.config_file
        try:
            config = read_json_or_refuse(file, _ANEW)
        except (FileNotFoundError, NotADirectoryError):
            raise UserError(f"{self.path} holds no run: give the folder of one") from None
        except UserError as error:
            raise ConfigFileError(str(error)) from None
        if not isinstance(config, dict):
            raise ConfigFileError(f"{file} is not the config of a run: {_ANEW}")
        number = config.get("format", 1)
        if type(number) is not int:
            raise ConfigFileError(f"{file} is damaged, its format is {number!r:.40}: {_ANEW}")
        config = with_defaults(config, self._defaults)
        other = other_fields(config, known)
        if number != FORMAT:
            other = f"has format {number}, but this version uses format {FORMAT}"
        if other:
            raise ConfigFileError(f"{file} {other}: {_ANEW}, or use the version that wrote it")
        return config

    def read_results(self) -> dict[str, Any]:
        """Returns the content of results.json, which must exist.

        Raises:
          UserError: It is damaged.
        """
        cure = "delete it and run the training with the same flags, which tests the model again"
        results = read_json_or_refuse(self.results_file, cure)
        parts = ("test", "train", "samples")
        if not isinstance(results, dict) or not all(
            isinstance(results.get(part), dict) for part in parts
        ):
            raise UserError(f"{self.results_file} is damaged: {cure}")
        return results

    def _other_data(self) -> UserError:
        return UserError(
            f"{self.path} holds a run on other data, or they have changed since: restore them, or "
            f"{_CURE}"
        )

    def _differences(
        self, settings: Mapping[str, Any], but: Collection[str] = _INTERVALS
    ) -> dict[str, tuple[Any, Any]]:
        """Returns the values in config.json and in the settings where they differ, by name.

        Args:
          settings: The settings.
          but: Names of settings that may differ.
        """
        settings = _as_json(settings)
        config = self.read_config()
        if config.get("task") == settings.get("task"):  # Each kind of data has its own fields.
            known = {name: part for name, part in settings.items() if isinstance(part, dict)}
            config = self.read_config(known)
        found = differences(config, settings)
        return {name: pair for name, pair in found.items() if name not in but}

    def _keep_first_end(self) -> None:
        """Renames the results and the model of a run that is being extended."""
        if self.results_file.exists():
            steps = self.read_results()["train"]["steps"]
            if self.model_file.exists():
                with whole_file(self.path / f"model-{steps}.keras") as temporary:
                    shutil.copyfile(self.model_file, temporary)
            # Last: without results.json, the run counts as unfinished.
            os.replace(self.results_file, self.path / f"results-{steps}.json")


def _as_json(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns settings as JSON sees them: tuples are lists there."""
    return json.loads(json.dumps(dict(settings)))


def _is_ours_before_config(path: Path) -> bool:
    return path.name == ".lock" or is_temporary(path)
