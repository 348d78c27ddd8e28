"""Rejects data of which a model can read nothing, before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from train.support.errors import UserError
from train.support.units import Unit

__all__ = ["refuse_too_long"]


def refuse_too_long(name: str, sequences: Sequence[Any], max_length: int, unit: Unit) -> None:
    """Checks that some sequences are short enough for a model.

    Args:
      name: Name of the data.
      sequences: Sentences or piano rolls.
      max_length: Maximum length of the model.
      unit: Names the sequences and symbols in the message.

    Raises:
      UserError: All sequences are longer than `max_length`.
    """
    if all(len(sequence) > max_length for sequence in sequences):
        raise UserError(
            f"expected {unit.sequences} of at most {max_length} {unit.symbols} in {name!r}; all "
            f"{len(sequences)} are longer than the model allows; use shorter ones"
        )
