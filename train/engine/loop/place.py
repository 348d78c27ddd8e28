"""Where the state of a training is kept."""

from __future__ import annotations

import dataclasses
from pathlib import Path

__all__ = ["Place"]


@dataclasses.dataclass(frozen=True)
class Place:
    """Files and folders of a training's state, and what is said of them.

    Attributes:
      checkpoints: Folder of the checkpoints.
      resumes: File of the steps at which the training went on.
      keep: Newest checkpoints that are kept.
      identity: What the checkpoints must be of.
      elsewhere: The flag that names another place.
      cure: What helps a training whose values went non-finite.
    """

    checkpoints: Path
    resumes: Path
    keep: int = 3
    identity: str = ""
    elsewhere: str = "--workdir"
    cure: str = "try a lower --learning-rate in a new --workdir"
