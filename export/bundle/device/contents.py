"""The files of a bundle, for the code that writes them (TensorFlow) and that reads them (JAX)."""

from __future__ import annotations

import dataclasses
import json
import shutil
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from export.bundle.device.arrays import load_arrays
from train.engine.settings import LoopSettings
from train.support.digests import sha256_of_file
from train.support.errors import UserError
from train.support.files import read_json, write_json
from train.support.units import Unit

__all__ = ["FORMAT", "Bundle", "copy_runner", "write_manifest"]

FORMAT = 4
_MANIFEST = "manifest.json"
# What runs a bundle, besides `run_bundle.py`: it imports neither TensorFlow nor Keras.
_FOLDERS = ("export/bundle/device", "train/support", "train/engine")
_FILES = ("tf_latentflow/terms.py",)


class Bundle:
    """A bundle as its runner sees it.

    | file                      | what                                                            |
    |---------------------------|-----------------------------------------------------------------|
    | `manifest.json`           | settings, programs, a checksum of every other file              |
    | `initial.npz`             | the state at the start: `Bundle.initial_state`                  |
    | `data.npz`                | the three splits, and log p(T)                                  |
    | `programs/KIND-I.bin`     | a kind's StableHLO for bucket I: `train`, `valid` or `test`     |
    | `run_bundle.py`           | the program that runs it, with `export/` and `train/` beside it |

    Attributes:
      manifest: What is in `manifest.json`.
      id: Digest of the manifest, and so of the bundle.
      programs: Its entry of the programs, by kind.
      config: The settings of the training.
      unit: In what likelihoods are given.
    """

    def __init__(self, path: Path) -> None:
        """Reads the manifest and verifies all files.

        Raises:
          UserError: There is no bundle, or a file is missing or damaged.
        """
        self._path = path
        try:
            self.manifest: dict[str, Any] = read_json(path / _MANIFEST)
            if self.manifest["format"] != FORMAT:
                raise UserError(f"{path} is a bundle of another version: export it again")
            files = self.manifest["sha256"].items()
            self.programs: dict[str, Any] = self.manifest["programs"]
            train = self.manifest["settings"]["train"]
            names = (field.name for field in dataclasses.fields(LoopSettings))
            self.config = LoopSettings(**{name: train[name] for name in names})
            self.unit = Unit(**self.manifest["unit"])
        except FileNotFoundError:
            raise UserError(f"{path} holds no bundle: there is no {_MANIFEST}") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UserError(f"{path / _MANIFEST} is damaged: copy the bundle again") from None
        for name, digest in files:
            file = path / name
            if not file.is_file():
                raise UserError(f"{file} is missing: copy the bundle again")
            if sha256_of_file(file) != digest:
                raise UserError(f"{file} is damaged, its checksum is wrong: copy the bundle again")
        self.id = sha256_of_file(path / _MANIFEST)

    def initial_state(self) -> list[np.ndarray]:
        """Returns the initial state.

        It consists of the model's weights, its other variables, those of the optimiser, and the
        failure of `train.backend.step.TrainStep`.
        """
        return load_arrays((self._path / "initial.npz").read_bytes())

    def sequences(self, split: str) -> list[np.ndarray]:
        """Returns the sequences of a split, arrays `[T, ...]`."""
        with np.load(self._path / "data.npz") as data:
            flat, lengths = data[f"{split}_x"], data[f"{split}_lengths"]
        return np.split(flat.astype(self.manifest["x_dtype"]), np.cumsum(lengths)[:-1])

    def log_length(self) -> np.ndarray:
        """Returns log p(T) for T = 1 .. max_length, nats."""
        with np.load(self._path / "data.npz") as data:
            return data["log_length"]

    def artifact(self, file: str) -> bytes:
        """Returns a program."""
        return zlib.decompress((self._path / file).read_bytes())


def write_manifest(path: Path, fields: Mapping[str, Any]) -> None:
    """Completes a bundle whose other files are in `path`."""
    files = sorted(
        file
        for file in path.rglob("*")
        if file.is_file() and file.suffix != ".pyc" and file.name != _MANIFEST
    )
    write_json(
        path / _MANIFEST,
        {
            "format": FORMAT,
            **json.loads(json.dumps(fields)),
            "sha256": {file.relative_to(path).as_posix(): sha256_of_file(file) for file in files},
        },
    )


def copy_runner(path: Path) -> None:
    """Copies the runner into a bundle."""
    root = Path(__file__).parents[3]
    for folder in _FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / folder, path / folder, ignore=ignored)
    for file in _FILES:
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / file, path / file)
    # Packages of these parts alone: what else the project's own would import is not there.
    for part in (*_FOLDERS, *_FILES):
        for package in Path(part).parents[:-1]:
            (path / package / "__init__.py").touch()
    shutil.copyfile(root / "export/bundle/run_bundle.py", path / "run_bundle.py")
