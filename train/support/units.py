"""Units of likelihoods: bits per character for text, nats per time step for music."""

from __future__ import annotations

import dataclasses
import math

__all__ = ["BITS_PER_CHARACTER", "NATS_PER_STEP", "Unit"]


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

    def per_symbol(self, nats: float, symbols: float) -> float:
        """Returns `nats` divided by a number of symbols, in this unit."""
        return float(nats / self.nats / symbols)


BITS_PER_CHARACTER = Unit("bpc", "bits per character", math.log(2.0), "characters", "sentences")
NATS_PER_STEP = Unit("nats_per_step", "nats per time step", 1.0, "steps", "pieces")
