"""What comes back from a bundle: the numbers of the test, and the weights, in parts on request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from export.bundle.device.arrays import load_arrays, save_arrays, split
from export.bundle.device.contents import Variable
from train.support.digests import sha256_of
from train.support.errors import UserError
from train.support.files import read_json, write_json

__all__ = ["read_result", "write_result"]

_NUMBERS = "result.json"
_WEIGHTS = "weights.npz"


def write_result(
    path: Path,
    numbers: Mapping[str, Any],
    variables: Sequence[Variable],
    values: Sequence[np.ndarray],
    *,
    bfloat16: bool,
    part_mib: int | None,
) -> None:
    """Writes the folder of a result.

    Args:
      path: The folder.
      numbers: What `result.json` says beside the files.
      variables: The model's.
      values: Theirs.
      bfloat16: Whether the weights are numbers of bfloat16, and so take half of the space.
      part_mib: Largest size of a file [MiB], or None.
    """
    path.mkdir(parents=True, exist_ok=True)
    for old in path.glob(f"{_WEIGHTS}*"):
        old.unlink()
    content = save_arrays(values, [bfloat16 and v.part == "weight" for v in variables])
    parts = split(content, part_mib and part_mib * 2**20)
    digests = {}
    for i, part in enumerate(parts):
        name = _WEIGHTS if len(parts) == 1 else f"{_WEIGHTS}.{i:03d}"
        (path / name).write_bytes(part)
        digests[name] = sha256_of(part)
    described = [{"shape": v.shape, "dtype": v.dtype, "name": v.name} for v in variables]
    write_json(path / _NUMBERS, {**numbers, "variables": described, "sha256": digests})


def read_result(path: Path) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Returns the numbers that `write_result` was given, and the values.

    Raises:
      UserError: If there is no result, or a file of it is missing or damaged.
    """
    try:
        numbers = read_json(path / _NUMBERS)
        variables, digests = numbers["variables"], numbers["sha256"]
    except FileNotFoundError:
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
        if sha256_of(part) != digest:
            raise UserError(f"{path / name} is damaged, its checksum is wrong: copy it again")
        content += part
    shapes = [variable["shape"] for variable in variables]
    return numbers, load_arrays(content, shapes, [variable["dtype"] for variable in variables])
