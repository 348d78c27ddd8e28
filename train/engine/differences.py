"""Differences between the requested settings and those in the config.json of a run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

__all__ = [
    "LIMITS",
    "describe_difference",
    "differences",
    "is_extension",
    "other_fields",
    "with_defaults",
]

LIMITS = ("epochs", "max_steps")
_PLACES = ("dataset", "data_dir", "init_from")  # Of data and weights, which may move.


def differences(there: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Returns the stored and the requested values where they differ, by name."""
    found: dict[str, tuple[Any, Any]] = {}
    for name, value in asked.items():
        other = there.get(name)
        if isinstance(value, Mapping) and isinstance(other, Mapping):
            found |= differences(other, value)
        elif value != other and name not in _PLACES:
            found[name] = other, value
    return found


def is_extension(name: str, there: Any, asked: Any) -> bool:
    """Whether a limit has been raised."""
    numbers = isinstance(there, int) and isinstance(asked, int)
    return name in LIMITS and numbers and asked > there


def describe_difference(name: str, there: Any, asked: Any) -> str:
    """Returns a difference in words."""
    short = isinstance(asked, (str, int, float, type(None)))
    if str(there) == str(asked):  # Another type, as in a file that was edited by hand.
        there, asked = repr(there), repr(asked)
    return f"{name} is {there}, not {asked}" if short else f"another {name}"


def with_defaults(
    there: Mapping[str, Any], defaults: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Returns sections of fields in which a missing field has its default.

    Args:
      there: Sections of fields. What is no section stays what it is.
      defaults: Values of fields, by section.
    """
    return {
        name: {**defaults.get(name, {}), **part} if isinstance(part, Mapping) else part
        for name, part in there.items()
    }


def other_fields(there: Mapping[str, Any], known: Mapping[str, Collection[str]]) -> str | None:
    """Describes fields that are unknown or missing; None if there are none.

    Args:
      there: Sections of fields.
      known: The names of each section's fields.
    """
    gone, new = [], []
    for section, names in known.items():
        fields = there.get(section)
        if isinstance(fields, Mapping):
            gone += [f"{section}.{name}" for name in fields if name not in names]
            new += [f"{section}.{name}" for name in names if name not in fields]
        else:
            new.append(section)
    words = [f"has {', '.join(gone)}, which this version does not know"] if gone else []
    words += [f"lacks {', '.join(new)}"] if new else []
    return ", and ".join(words) or None
