"""The folder of a pretrained model: configuration, weights, card, and their checksums."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tf_latentflow.config import ModelConfig
from tf_latentflow.pretrained.card import Card, card_markdown
from tf_latentflow.pretrained.download import cache_dir, check_url, download
from tf_latentflow.pretrained.errors import PretrainedError
from tf_latentflow.pretrained.weights import NamedArray, pack_weights, unpack_weights

__all__ = ["CONFIG_FILE", "FORMAT", "Pretrained", "read_folder", "write_folder"]

# Counts the changes after which a folder means something else, or a model has other variables.
FORMAT = 1

CONFIG_FILE = "pretrained.json"
_CARD_FILE = "card.json"
_WEIGHTS_FILE = "weights.npz"
_PAGE_FILE = "README.md"
_CHECKSUM_FILE = "SHA256SUMS"  # As `sha256sum -c` reads it.
_CHECKED = (CONFIG_FILE, _CARD_FILE, _WEIGHTS_FILE)


@dataclass(frozen=True)
class Pretrained:
    """The contents of the folder of a pretrained model, with verified checksums.

    | file              | what                                                                     |
    |-------------------|--------------------------------------------------------------------------|
    | `pretrained.json` | format, the model's configuration with the vocabulary, its training      |
    | `card.json`       | the `Card`                                                               |
    | `weights.npz`     | the variables of the model, float32 or float16; it may lie at a URL      |
    | `README.md`       | the card as a page, made of card.json                                    |
    | `SHA256SUMS`      | checksums of the first three                                             |

    Attributes:
      folder: Where it is.
      model: Configuration of the model.
      card: Its card.
      weights_sha256: Digest of the file of the weights.
      weights_bytes: Its size.
      weights_url: Where that file is if it is not in the folder.
      run: What the training program needs to know of its training: `task`, `train` (its settings),
        `dataset_sha256`. None for a model that no program has trained.
    """

    folder: Path
    model: ModelConfig
    card: Card
    weights_sha256: str
    weights_bytes: int
    weights_url: str | None = None
    run: Mapping[str, Any] | None = None

    def weights(self) -> list[NamedArray]:
        """Path and value of every variable; downloads them once if they are not in the folder.

        Raises:
          PretrainedError: The file is missing, cannot be downloaded, or has changed.
        """
        path = self.folder / _WEIGHTS_FILE
        if not path.exists() and self.weights_url is not None:
            path = cache_dir() / "pretrained" / f"{self.weights_sha256}.npz"
            try:
                download(self.weights_url, path, self.weights_sha256)
            except OSError as error:
                raise PretrainedError(f"{self.card.name}: {error}; try again") from None
        data = _read(path)
        if hashlib.sha256(data).hexdigest() != self.weights_sha256:
            raise PretrainedError(_has_changed(path))
        return unpack_weights(data)


def write_folder(
    folder: Path,
    model: ModelConfig,
    arrays: Sequence[NamedArray],
    card: Card,
    run: Mapping[str, Any] | None = None,
    dtype: str = "float32",
    weights_url: str | None = None,
) -> None:
    """Writes the folder of a pretrained model. An existing one is replaced, file by file.

    Args:
      folder: The folder; missing parents are created.
      model: Configuration of the model.
      arrays: Path and value of every variable, in the order of creation.
      card: Its card.
      run: See `Pretrained`.
      dtype: See `pack_weights`.
      weights_url: Where the weights can also be downloaded. The file may then be removed from the
        folder.

    Raises:
      ValueError: As for `pack_weights`, or `weights_url` is not an address.
    """
    if weights_url is not None:
        check_url(weights_url)
    weights = pack_weights(arrays, dtype)
    config = {
        "format": FORMAT,
        "model": model.to_dict(),
        "weights_bytes": len(weights),
        "weights_url": weights_url,
        "run": None if run is None else dict(run),
    }
    files = {
        CONFIG_FILE: _json(config),
        _CARD_FILE: _json(card.to_dict()),
        _WEIGHTS_FILE: weights,
    }
    sums = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items()]
    files[_PAGE_FILE] = card_markdown(card).encode()
    files[_CHECKSUM_FILE] = "".join(sums).encode()
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():  # The checksums last: until then the folder counts as damaged.
        (folder / name).write_bytes(data)


def read_folder(folder: Path) -> Pretrained:
    """Reads the folder of a pretrained model; its weights are read on demand.

    Raises:
      PretrainedError: A file is missing, damaged or changed, or has another format.
    """
    config = _parse(folder / CONFIG_FILE)
    number = config.get("format")
    if number != FORMAT:
        raise PretrainedError(
            f"{folder / CONFIG_FILE} has format {number!r:.40}, but this version reads format "
            f"{FORMAT}: use the version that wrote it, or export it again"
        )
    sums = _checksums(folder)
    for name in _CHECKED[:2]:
        if hashlib.sha256(_read(folder / name)).hexdigest() != sums[name]:
            raise PretrainedError(_has_changed(folder / name))
    try:
        return Pretrained(
            folder,
            ModelConfig.from_dict(config["model"]),
            Card.from_dict(_parse(folder / _CARD_FILE)),
            sums[_WEIGHTS_FILE],
            config["weights_bytes"],
            config["weights_url"],
            config["run"],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PretrainedError(
            f"{folder} is from another version ({type(error).__name__}: {error}): use the version "
            "that wrote it"
        ) from None


def _checksums(folder: Path) -> dict[str, str]:
    """The digest of every file."""
    path = folder / _CHECKSUM_FILE
    lines = [line.split() for line in _read(path).decode(errors="replace").splitlines()]
    sums = {line[1]: line[0] for line in lines if len(line) == 2}
    if missing := set(_CHECKED) - set(sums):
        raise PretrainedError(f"{path} lacks {', '.join(sorted(missing))}: restore the folder")
    return sums


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PretrainedError(f"cannot read {path} ({error.strerror}): restore it") from None


def _parse(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(_read(path))
    except ValueError as error:
        raise PretrainedError(f"{path} is damaged ({error}): restore it") from None
    if not isinstance(values, dict):
        raise PretrainedError(f"{path} is damaged (not a JSON object): restore it")
    return values


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _has_changed(path: Path) -> str:
    return (
        f"{path} does not match its checksum in {_CHECKSUM_FILE}: restore the folder, or export "
        "it anew"
    )
