"""What an exported model computes, beyond the model itself."""

from __future__ import annotations

import dataclasses

__all__ = ["ExportOptions"]


@dataclasses.dataclass(frozen=True)
class ExportOptions:
    """Settings of an export.

    Attributes:
      max_length: Maximum length of a sequence, in steps, at most that of the model.
      score_samples: Importance samples per likelihood.
      particles: Number of proposals for `complete`.
      xla: Whether `generate` is compiled, for servers with XLA; see `make_sampler`.
    """

    max_length: int
    score_samples: int = 50
    particles: int = 32
    xla: bool = False
