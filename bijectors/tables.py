"""The choices that a flow is made of, by name: one line an entry.

An entry is imported when it is first looked up, so that its name is known, and a wrong one refused,
before TensorFlow is loaded.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["HIDDEN_STRUCTURES", "SCALAR_MAPS", "TIME_STRUCTURES", "Table"]


class Table(Mapping[str, Any]):
    """A read-only table of objects by name, each known by where it is: `module:attribute`."""

    def __init__(self, places: Mapping[str, str]) -> None:
        """Imports nothing yet."""
        self._places = dict(places)

    def __getitem__(self, name: str) -> Any:
        return pkgutil.resolve_name(self._places[name])

    def __contains__(self, name: object) -> bool:
        return name in self._places  # That of `Mapping` looks the entry up.

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


# What a flow does to one number: `bijectors.scalar.maps.ScalarMap`.
SCALAR_MAPS = Table(
    {
        "affine": "bijectors.scalar.affine:AFFINE",
        "nlsq": "bijectors.scalar.nlsq:NLSQ",
        "spline": "bijectors.scalar.spline:SPLINE",
    }
)

# What a dimension of a step's vector depends on: `bijectors.hidden.structures.HiddenStructure`.
HIDDEN_STRUCTURES = Table(
    {
        "af": "bijectors.hidden.structures:AF",
        "scf": "bijectors.hidden.structures:SCF",
        "none": "bijectors.hidden.structures:INDEPENDENT",
    }
)

# What a step depends on: a subclass of `bijectors.TimeBijector`.
TIME_STRUCTURES = Table(
    {
        "af": "bijectors.time.structures:AutoregressiveTime",
        "iaf": "bijectors.time.structures:InverseAutoregressiveTime",
        "none": "bijectors.time.structures:IndependentTime",
    }
)
