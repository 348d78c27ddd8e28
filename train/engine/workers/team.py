"""What the processes of a run do together; one process alone does it without any message."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np

from train.engine.differences import describe_difference, differences
from train.engine.workers.cluster import Cluster
from train.support.errors import UserError

__all__ = ["ALONE", "Disagreement", "Team", "first_part"]

# Said without their values, which are digests.
_OTHER = {"dataset_sha256": "other data", "code": "other code"}


class Disagreement(UserError):
    """Something differs between the workers of a run; every one of them raises this."""


class Team:
    """This process alone. A `train.engine.workers.linked_team.LinkedTeam` has several.

    Every process calls the same methods in the same order. It is a context manager: a block ends
    when it has ended in every process.

    Attributes:
      cluster: The processes, or None.
      index: Which of them this is; 0 is the chief, who alone writes files and shows progress.
      size: How many there are.
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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Nobody waits for the end of one process."""

    def exchange(self, part: bytes, combine: Callable[[Sequence[bytes]], bytes]) -> bytes:
        """Returns, in every process, what the chief makes of the parts of all.

        Args:
          part: That of this process.
          combine: Makes one value of the parts, in the order of the processes; only the chief's is
            called.
        """
        return combine([part])

    def from_chief(self, value: Any) -> Any:
        """Returns the chief's value, of JSON, in every process."""
        part = json.dumps(value).encode() if self.is_chief else b""
        return json.loads(self.exchange(part, first_part))

    def total(self, values: np.ndarray) -> np.ndarray:
        """Returns the sum of the arrays of all, which have one shape and dtype."""

        def add(parts: Sequence[bytes]) -> bytes:
            return sum(np.frombuffer(part, values.dtype) for part in parts).tobytes()

        summed = np.frombuffer(self.exchange(values.tobytes(), add), values.dtype)
        return summed.reshape(values.shape)

    def agree(self, facts: Mapping[str, Any]) -> None:
        """Refuses facts, JSON values by name, that are not those of the chief.

        Raises:
          Disagreement: In every process, if they differ in one.
        """

        def compare(parts: Sequence[bytes]) -> bytes:
            chief, *others = map(json.loads, parts)
            for index, asked in enumerate(others, start=1):
                if found := differences(chief, asked):
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
