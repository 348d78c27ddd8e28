"""The result of a bundle: the numbers of the test, and the weights, on request in several files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from export.bundle.device.arrays import load_arrays, save_arrays
from export.bundle.device.contents import FORMAT
from train.support.digests import sha256_of
from train.support.errors import UserError
from train.support.files import read_json, write_checked_json

__all__ = ["read_result", "write_result"]

_NUMBERS = "result.json"
_WEIGHTS = "weights.npz"


def write_result(
    path: Path,
    numbers: Mapping[str, Any],
    values: Sequence[np.ndarray],
    *,
    rounded: int,
    part_mib: int | None,
) -> None:
    """Writes the folder of a result.

    Args:
      path: The folder.
      numbers: The content of `result.json`, except for the list of files.
      values: Values of the model's variables.
      rounded: How many of the first are already rounded to bfloat16, and so take half of the space.
      part_mib: Maximum size of a file [MiB]; None for no limit.
    """
    path.mkdir(parents=True, exist_ok=True)
    for old in path.glob(f"{_WEIGHTS}*"):
        old.unlink()
    content = save_arrays(values, rounded)
    size = part_mib * 2**20 if part_mib else len(content)
    parts = [content[i : i + size] for i in range(0, len(content), size)]
    digests = {}
    for i, part in enumerate(parts):
        name = _WEIGHTS if len(parts) == 1 else f"{_WEIGHTS}.{i:03d}"
        (path / name).write_bytes(part)
        digests[name] = sha256_of([part])
    write_checked_json(path / _NUMBERS, {"format": FORMAT, **numbers, "sha256": digests})


def read_result(path: Path) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Returns the numbers and values passed to `write_result`.

    Raises:
      UserError: There is no result, it is from another version, or a file is missing or damaged.
    """
    try:
        numbers = read_json(path / _NUMBERS)
        digests = numbers["sha256"]
        if numbers.get("format") != FORMAT:
            raise UserError(f"{path} is of another version: export the training again")
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(
            f"{path} holds no result of a bundle: give the folder `result` that run_bundle.py left"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{path / _NUMBERS} is damaged: copy it again") from None
    content = b""
    for name, digest in digests.items():
        try:
            part = (path / name).read_bytes()
        except FileNotFoundError:
            raise UserError(f"{path / name} is missing: copy it again") from None
        if sha256_of([part]) != digest:
            raise UserError(f"{path / name} is damaged, its checksum is wrong: copy it again")
        content += part
    return numbers, load_arrays(content)
