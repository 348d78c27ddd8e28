"""The parts of a flow by name, one line per entry.

An entry is imported when it is first looked up. Names can therefore be listed and checked before
TensorFlow is loaded.

Example:
  >>> from bijectors import HIDDEN_STRUCTURES, SCALAR_MAPS, TIME_STRUCTURES
  >>> list(SCALAR_MAPS)
  ['affine', 'nlsq', 'spline', 'mixture']
  >>> list(HIDDEN_STRUCTURES), list(TIME_STRUCTURES)
  (['af', 'scf', 'none'], ['af', 'iaf', 'coupling', 'multiscale', 'none'])
  >>> SCALAR_MAPS["spline:16"].num_params
  47
  >>> "spline:1" in SCALAR_MAPS
  False
"""

from __future__ import annotations

import inspect
import pkgutil
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = [
    "CAUSAL_TIME_STRUCTURES",
    "COUPLING_TIME_STRUCTURES",
    "HIDDEN_STRUCTURES",
    "SCALAR_MAPS",
    "TIME_ENTRIES",
    "TIME_STRUCTURES",
    "Numbered",
    "Table",
    "TimeEntry",
    "name_of",
]


@dataclass(frozen=True)
class Numbered:
    """An entry with a size: `name:8` is `function(8)`, and `name` alone is `function()`.

    Attributes:
      function: Location of the function, `module:attribute`.
      least: The smallest size allowed.
      most: The largest size allowed.
    """

    function: str
    least: int = 1
    most: int = 1000


@dataclass(frozen=True)
class TimeEntry:
    """A structure across steps, as far as it is known without TensorFlow.

    Attributes:
      place: Location of the `TimeBijector`, `module:attribute`.
      is_causal: Whether no step depends on later ones, so that the start of a sequence has a
        density.
      is_coupling: Whether a stage keeps some steps and maps the others, given kept ones on both
        sides. It takes two stages to map all steps.
      has_scales: Whether the stages have strides 1, 2, 4, ...
    """

    place: str
    is_causal: bool = False
    is_coupling: bool = False
    has_scales: bool = False


class Table(Mapping[str, Any]):
    """A mapping from names to objects, given by their locations `module:attribute`.

    Iteration yields names without a size; `numbered` lists the names that may have one.

    Example:
      >>> from bijectors.tables import Table
      >>> table = Table({"tau": "math:tau"})
      >>> table.add("e", "math:e")
      >>> list(table), table["e"]
      (['tau', 'e'], 2.718281828459045)
    """

    def __init__(self, places: Mapping[str, Any]) -> None:
        """Imports no entry yet."""
        self._places = dict(places)

    def add(self, name: str, entry: Any) -> None:
        """Gives an entry of your own a name, for as long as the process runs.

        Args:
          name: A name that the table does not have yet.
          entry: The entry, its location `module:attribute`, or a `Numbered`. A location is imported
            when it is first looked up.

        Raises:
          ValueError: Another entry has the name, or it contains a colon.
        """
        if ":" in name or self._places.get(name, entry) != entry:
            raise ValueError(f"expected a new name without a colon; got {name!r}")
        self._places[name] = entry

    def __getitem__(self, name: str) -> Any:
        if name not in self:
            raise KeyError(name)
        number = name.partition(":")[2]
        place = self._places[name_of(name)]
        if isinstance(place, Numbered):
            function = pkgutil.resolve_name(place.function)
            return function(int(number)) if number else function()
        return pkgutil.resolve_name(place) if isinstance(place, str) else place

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        name, colon, number = name.partition(":")
        place = self._places.get(name)
        if place is None or not colon:
            return place is not None
        if not isinstance(place, Numbered) or not re.fullmatch("[1-9][0-9]{0,8}", number):
            return False
        return place.least <= int(number) <= place.most

    def number_of(self, name: str) -> int:
        """The size in a name, or the default of its function; 0 for an entry without a size."""
        place = self._places[name_of(name)]
        if not isinstance(place, Numbered):
            return 0
        number = name.partition(":")[2]
        (size,) = inspect.signature(pkgutil.resolve_name(place.function)).parameters.values()
        return int(number) if number else size.default

    @property
    def numbered(self) -> list[str]:
        """The names that may have a size, each with its limits, for messages."""
        return [
            f"{name}:N (N from {place.least} to {place.most})"
            for name, place in self._places.items()
            if isinstance(place, Numbered)
        ]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def name_of(entry: str) -> str:
    """The name of an entry without its size.

    >>> name_of("mixture:8"), name_of("affine")
    ('mixture', 'affine')
    """
    return entry.partition(":")[0]


# Maps of one number, instances of `bijectors.ScalarMap`.
SCALAR_MAPS = Table(
    {
        "affine": "bijectors.scalar.affine:AFFINE",
        "nlsq": "bijectors.scalar.nlsq:NLSQ",
        "spline": Numbered("bijectors.scalar.spline:spline_map", least=2),
        "mixture": Numbered("bijectors.scalar.mixture:mixture_map"),
    }
)

# Which dimensions of the same step a dimension depends on: instances of
# `bijectors.HiddenStructure`.
HIDDEN_STRUCTURES = Table(
    {
        "af": "bijectors.hidden.entries:AF",
        "scf": "bijectors.hidden.entries:SCF",
        "none": "bijectors.hidden.entries:INDEPENDENT",
    }
)

# Which other steps a step depends on, and what follows for a model.
TIME_ENTRIES = {
    "af": TimeEntry("bijectors.time.structures:AutoregressiveTime", is_causal=True),
    "iaf": TimeEntry("bijectors.time.structures:InverseAutoregressiveTime", is_causal=True),
    "coupling": TimeEntry("bijectors.time.coupling:CouplingTime", is_coupling=True),
    "multiscale": TimeEntry(
        "bijectors.time.coupling:CouplingTime", is_coupling=True, has_scales=True
    ),
    "none": TimeEntry("bijectors.time.structures:IndependentTime", is_causal=True),
}

# Subclasses of `bijectors.TimeBijector`.
TIME_STRUCTURES = Table({name: entry.place for name, entry in TIME_ENTRIES.items()})
CAUSAL_TIME_STRUCTURES = tuple(name for name, entry in TIME_ENTRIES.items() if entry.is_causal)
COUPLING_TIME_STRUCTURES = tuple(name for name, entry in TIME_ENTRIES.items() if entry.is_coupling)
