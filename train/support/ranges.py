"""Ranges of numbers that a user can set, as annotations of the fields of a dataclass."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn, get_type_hints

from train.support.errors import UserError

__all__ = [
    "ALL_FINITE",
    "ALL_POSITIVE",
    "AT_LEAST_1",
    "NOT_NEGATIVE",
    "PORT",
    "POSITIVE",
    "SEED",
    "SHARE",
    "STEPS_PER_BEAT",
    "TEMPERATURE",
    "TEMPO",
    "WEIGHT",
    "Range",
    "check_ranges",
    "flag_of",
    "refuse_flag",
]


class Range(NamedTuple):
    """The values of a field, as an annotation of it.

    Attributes:
      words: The range, for the error message.
      holds: Whether a value is inside.
    """

    words: str
    holds: Callable[[Any], bool]


POSITIVE = Range("a number above 0", lambda x: 0 < x < math.inf)
NOT_NEGATIVE = Range("a number of at least 0", lambda x: 0 <= x < math.inf)
ALL_POSITIVE = Range("numbers above 0", lambda xs: all(0 < x < math.inf for x in xs))
ALL_FINITE = Range("finite numbers", lambda xs: all(map(math.isfinite, xs)))
AT_LEAST_1 = Range("a number of at least 1", lambda x: 1 <= x < math.inf)
TEMPERATURE = Range("a number from 0 to 1000", lambda x: 0 <= x <= 1000)
SHARE = Range("a fraction from 0 to 1", lambda x: 0 <= x <= 1)
WEIGHT = Range("a weight above 0, and at most 1", lambda x: 0 < x <= 1)
SEED = Range("a whole number from 0 to 2147483647", lambda x: 0 <= x < 2**31)
PORT = Range("a port, 0 to 65535", lambda x: 0 <= x < 2**16)
STEPS_PER_BEAT = Range("a number from 1 to 480", lambda x: 1 <= x <= 480)
# MIDI files allow no slower tempo.
TEMPO = Range("a number from 4 to 1000, quarter notes per minute", lambda x: 4 <= x <= 1000)


def check_ranges(config: Any) -> None:
    """Checks the fields of a dataclass that are annotated with a range; None is allowed.

    Raises:
      UserError: A value is out of range; the error names the flag and what it expects.
    """
    for name, hint in get_type_hints(type(config), include_extras=True).items():
        value = getattr(config, name)
        for expected in getattr(hint, "__metadata__", ()):
            if isinstance(expected, Range) and not (value is None or expected.holds(value)):
                refuse_flag(name, expected.words, value)


def flag_of(field: str) -> str:
    """The flag of a field: `--continue` of `continue_`."""
    return "--" + field.rstrip("_").replace("_", "-")


def refuse_flag(field: str, expected: str, value: object) -> NoReturn:
    """Raises the error for an invalid flag, named after its field.

    Raises:
      UserError: Always.
    """
    raise UserError(f"{flag_of(field)} expects {expected}; got {value}")
