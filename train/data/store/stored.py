"""Sequences on disk as a Python sequence; each is read when it is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, overload

import numpy as np

from train.data.store.records import Records

__all__ = ["Stored"]

T = TypeVar("T")


class Stored(Sequence[T]):
    """Some records of a store, converted to sequences when they are read.

    Attributes:
      lengths: int32 `[N]`, the lengths of the sequences: `len(self[i]) == self.lengths[i]`.
    """

    def __init__(
        self,
        records: Records,
        make: Callable[[bytes], T],
        numbers: range | np.ndarray | None = None,
        lengths: np.ndarray | None = None,
    ) -> None:
        """Selects records; reads none.

        Args:
          records: The store.
          make: Converts a record to a sequence.
          numbers: Numbers of the records; None for all.
          lengths: Lengths of their sequences; None for all.
        """
        self._records = records
        self._make = make
        self._numbers = range(len(records)) if numbers is None else numbers
        self.lengths = records.lengths if lengths is None else lengths

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> Stored[T]: ...

    def __getitem__(self, index: int | slice) -> T | Stored[T]:
        chosen = self._numbers[index]
        if isinstance(index, slice):
            return Stored(self._records, self._make, chosen, self.lengths[index])
        return self._make(self._records.read(int(chosen)))

    def __iter__(self) -> Iterator[T]:
        numbers = self._numbers
        if isinstance(numbers, range) and numbers.step == 1:
            yield from map(self._make, self._records.read_in_turn(numbers))
        else:
            yield from (self._make(self._records.read(int(number))) for number in numbers)

    def map(self, function: Callable[[T], Any]) -> Stored[Any]:
        """Returns the sequences converted by a function that keeps their lengths."""
        make = self._make
        return Stored(
            self._records, lambda record: function(make(record)), self._numbers, self.lengths
        )

    def at(self, indices: Sequence[int]) -> Stored[T]:
        """Returns the sequences at some indices, in that order."""
        chosen = np.asarray(indices, np.int64)
        numbers = np.asarray(self._numbers)[chosen]
        return Stored(self._records, self._make, numbers, self.lengths[chosen])

    def up_to(self, length: int) -> Stored[T]:
        """Returns the sequences that are at most this long."""
        kept = self.lengths <= length
        if kept.all():
            return self
        return self.at(np.flatnonzero(kept))
