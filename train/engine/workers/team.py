"""The operations that the processes of a run do together, for a single process."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from train.engine.differences import describe_difference, differences
from train.engine.workers.cluster import Cluster
from train.support.errors import UserError

__all__ = ["ALONE", "Disagreement", "Team", "first_part"]

# Named without their values, which are digests.
_OTHER = {"dataset_sha256": "other data", "code": "other code"}


class Disagreement(UserError):
    """Something differs between the workers of a run. All of them raise this."""


class Team:
    """A single process. For several there is `train.engine.workers.linked_team.LinkedTeam`.

    Every process calls the same methods in the same order. As a context manager, a team leaves its
    block when all processes have reached its end.

    Attributes:
      cluster: The processes, or None.
      index: Index of this process. 0 is the chief, which alone writes files and shows progress.
      size: Number of processes.
    """

    cluster: Cluster | None = None
    index = 0
    size = 1

    @property
    def is_chief(self) -> bool:
        """Whether this is the first process."""
        return self.index == 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        """Does nothing: a single process waits for no other."""

    def exchange(self, part: bytes, combine: Callable[[Sequence[bytes]], bytes]) -> bytes:
        """Combines the parts of all processes on the chief, and returns the result in each.

        Args:
          part: The part of this process.
          combine: Makes one value of the parts, in the order of the processes; called only on the
            chief.
        """
        return combine([part])

    def from_chief(self, value: Any) -> Any:
        """Returns the chief's value, a JSON value, in every process."""
        part = json.dumps(value).encode() if self.is_chief else b""
        return json.loads(self.exchange(part, first_part))

    def total(self, values: np.ndarray) -> np.ndarray:
        """Returns the sum of the arrays of all processes, which have the same shape and dtype."""

        def add(parts: Sequence[bytes]) -> bytes:
            return sum(np.frombuffer(part, values.dtype) for part in parts).tobytes()

        summed = np.frombuffer(self.exchange(values.tobytes(), add), values.dtype)
        return summed.reshape(values.shape)

    def agree(self, facts: Mapping[str, Any]) -> None:
        """Compares facts, JSON values by name, with those of the chief.

        Raises:
          Disagreement: In every process, if a fact differs in any of them.
        """

        def compare(parts: Sequence[bytes]) -> bytes:
            chief, *others = map(json.loads, parts)
            for index, asked in enumerate(others, start=1):
                if found := differences(asked, chief):
                    said = [_OTHER.get(n) or describe_difference(n, *p) for n, p in found.items()]
                    line = f"{self.cluster.name(index)} differs from the chief: {'; '.join(said)}"
                    return line.encode()
            return b""

        refusal = self.exchange(json.dumps(facts).encode(), compare).decode()
        if refusal:
            raise Disagreement(f"{refusal}; start all with the same flags, data and version")


def first_part(parts: Sequence[bytes]) -> bytes:
    """The chief's part, for `Team.exchange`."""
    return parts[0]


ALONE = Team()
"""The team of a run in one process."""
