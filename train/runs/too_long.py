"""Data of which a model can read nothing is refused before anything is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from train.support.errors import UserError
from train.support.units import Unit

__all__ = ["refuse_too_long"]


def refuse_too_long(name: str, sequences: Sequence[Any], max_length: int, unit: Unit) -> None:
    """Refuses sequences that are all longer than a model gives a probability.

    Args:
      name: Of the data.
      sequences: Sentences, or piano rolls.
      max_length: Of the model.
      unit: Says what they are.

    Raises:
      UserError: If all of them are longer.
    """
    if all(len(sequence) > max_length for sequence in sequences):
        raise UserError(
            f"expected {unit.sequences} of at most {max_length} {unit.symbols} in {name!r}; all "
            f"{len(sequences)} are longer, and the model gives them no probability; give shorter "
            "ones"
        )
