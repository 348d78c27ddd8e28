"""Units of likelihoods: bits per character for text, nats per time step for music; counts."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

__all__ = ["BITS_PER_CHARACTER", "NATS_PER_STEP", "Unit", "counted"]


def counted(number: int, noun: str) -> str:
    """Returns a number of things in words.

    >>> counted(1, "piece"), counted(2, "piece")
    ('1 piece', '2 pieces')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"


@dataclasses.dataclass(frozen=True)
class Unit:
    """The unit of a likelihood.

    Attributes:
      name: Name in a table or a file, such as `bpc`.
      title: Name in a sentence.
      nats: Nats in one unit: log 2 for bits.
      symbols: What a sequence consists of, in the plural.
      sequences: What a sequence is called, in the plural.
    """

    name: str
    title: str
    nats: float
    symbols: str
    sequences: str

    @property
    def label(self) -> str:
        """Name as shown to people."""
        return self.name.replace("_", " ")

    # The names of results, beside that of the loss itself, `name`.

    @property
    def stderr(self) -> str:
        """Name of the standard error of the loss."""
        return f"{self.name}_stderr"

    @property
    def reconstruction(self) -> str:
        """Name of the first term of the ELBO."""
        return f"reconstruction_{self.name}"

    @property
    def kl(self) -> str:
        """Name of the second term of the ELBO."""
        return f"kl_{self.name}"

    @property
    def given_length(self) -> str:
        """Name of the loss without the length."""
        return f"{self.name}_given_length"

    def losses(self, results: Mapping[str, Any]) -> dict[str, float]:
        """Returns the loss and the terms of the ELBO by name; only a flow has the terms."""
        names = (self.name, self.reconstruction, self.kl)
        return {name: results[name] for name in names if results[name] is not None}

    def per_symbol(self, nats: float, symbols: float) -> float:
        """Returns `nats` divided by a number of symbols, in this unit."""
        return float(nats / self.nats / symbols)


BITS_PER_CHARACTER = Unit("bpc", "bits per character", math.log(2.0), "characters", "sentences")
NATS_PER_STEP = Unit("nats_per_step", "nats per time step", 1.0, "steps", "pieces")
