"""The settings of a run from a command line: preset, model and dataset decide the defaults."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TypeVar

from train.settings.config import TrainConfig
from train.support.errors import UserError
from train.support.flags import parse_flags, peek_flags

__all__ = ["parse_train_config"]

Config = TypeVar("Config", bound=TrainConfig)


@dataclasses.dataclass(frozen=True)
class _Peek:
    """The flags that decide what the other flags' defaults are."""

    model: str = "af-af"
    dataset: str | None = None
    preset: str = "small"
    epochs: str | None = None
    max_steps: str | None = None


def parse_train_config(kind: type[Config], args: Sequence[str] | None = None) -> Config:
    """Returns checked settings of a run; preset, model and dataset decide what the defaults are.

    Args:
      kind: Settings of the program.
      args: Its flags, or None for those of the process.

    Raises:
      UserError: If a value is impossible.
      SystemExit: As `parse_flags`.
    """
    peek = peek_flags(_Peek, args)
    limits = {name: None for name in ("epochs", "max_steps") if getattr(peek, name) is not None}
    try:
        default = kind.from_preset(peek.preset, peek.model, peek.dataset, **limits)
    except ValueError as error:
        raise UserError(f"--preset: {error}") from None
    config = parse_flags(kind, f"python -m {kind.program}", args, default)
    config.check()
    return config
