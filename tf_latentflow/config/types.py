"""The types of a dataclass's fields, checked when it is made."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, get_type_hints

from typeguard import CollectionCheckStrategy, TypeCheckError, check_type

__all__ = ["ConfigError", "check_types"]

_type_hints = functools.cache(get_type_hints)  # Resolving them takes most of the time of a check.


class ConfigError(ValueError):
    """A configuration, of a model or of a run, with a value that it cannot have.

    Attributes:
      field: Name of the invalid field.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def check_types(kind: type, values: Mapping[str, Any]) -> None:
    """Raises an error if a value does not have the type of its dataclass field.

    Raises:
      ConfigError: A value has another type; the error names the field.
    """
    hints = _type_hints(kind)
    for field in dataclasses.fields(kind):
        value, hint = values.get(field.name, field.default), hints[field.name]
        if not _is_of_type(value, hint):
            kinds = hint.__name__ if isinstance(hint, type) else hint
            message = f"expected {field.name} of type {kinds}; got {value!r:.80}"
            raise ConfigError(field.name, message)


def _is_of_type(value: Any, hint: Any) -> bool:
    if isinstance(value, bool):  # Which is a number to Python.
        return hint is bool
    try:
        check_type(value, hint, collection_check_strategy=CollectionCheckStrategy.ALL_ITEMS)
    except TypeCheckError:
        return False
    return True
