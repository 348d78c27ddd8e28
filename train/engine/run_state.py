"""The state of a run besides its variables."""

from __future__ import annotations

import dataclasses
from typing import Any

from train.engine.differences import other_fields
from train.engine.schedules import Plateau
from train.support.errors import UserError

__all__ = ["NonFiniteError", "RunState"]


class NonFiniteError(RuntimeError):
    """A value of the training is not finite. The weights were not changed in that step."""


@dataclasses.dataclass
class RunState:
    """The state of a run besides its variables.

    Attributes:
      step: Number of steps made.
      wall_seconds: Time they took, over all processes.
      plateau: State of the learning rate, with the validation loss of the best weights.
      resumed_from_steps: Steps at which the run was resumed.
    """

    step: int = 0
    wall_seconds: float = 0.0
    plateau: Plateau = dataclasses.field(default_factory=Plateau)
    resumed_from_steps: list[int] = dataclasses.field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Returns the state as JSON values."""
        return {**vars(self), "plateau": self.plateau.to_dict()}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> RunState:
        """Returns the state written by `to_dict`.

        Raises:
          UserError: It was written by another version and has other fields.
        """
        known = {"state": list(vars(cls())), "state.plateau": list(Plateau().to_dict())}
        other = other_fields({"state": fields, "state.plateau": fields.get("plateau")}, known)
        if other:
            raise UserError(
                f"the checkpoint {other}: start a new run, or use the version that wrote it"
            )
        return cls(**{**fields, "plateau": Plateau.from_dict(fields["plateau"])})
