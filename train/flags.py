"""Command lines made from dataclasses: a wrong flag is one message and exit status 2."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Sequence
from typing import Any, TypeVar

import tyro

from train.config import TrainConfig
from train.errors import UserError

__all__ = ["parse_flags", "parse_train_config"]

T = TypeVar("T")
Config = TypeVar("Config", bound=TrainConfig)


@dataclasses.dataclass(frozen=True)
class _Peek:
    """The flags that decide what the other flags' defaults are."""

    model: str = "af-af"
    dataset: str | None = None
    preset: str = "small"
    epochs: str | None = None
    max_steps: str | None = None


def parse_flags(
    kind: type[T], program: str, args: Sequence[str] | None = None, default: T | None = None
) -> T:
    """Returns a dataclass filled from the command line; its docstrings are the help.

    Args:
      kind: The dataclass.
      program: What the user typed, for the help text.
      args: The command line, or None for that of the process.
      default: Values of the flags that are not given, or None for those of the dataclass.

    Raises:
      SystemExit: With status 2 after a message on standard error if a flag is wrong, and with
        status 0 after `--help`.
    """
    options: dict[str, Any] = {} if default is None else {"default": default}
    return tyro.cli(
        kind,
        prog=program,
        description=inspect.cleandoc(kind.__doc__ or ""),
        args=args,
        # Otherwise a default moves a field of a Literal or Optional type into a subcommand.
        config=(tyro.conf.AvoidSubcommands,),
        **options,
    )


def parse_train_config(kind: type[Config], args: Sequence[str] | None = None) -> Config:
    """Returns checked settings of a run; preset, model and dataset decide what the defaults are.

    Args:
      kind: Settings of the program.
      args: Its flags, or None for those of the process.

    Raises:
      UserError: If a value is impossible.
      SystemExit: As `parse_flags`.
    """
    try:
        peek, _ = tyro.cli(
            _Peek, args=args, return_unknown_args=True, add_help=False, console_outputs=False
        )
    except SystemExit:  # The whole command line, read below, is refused with a message.
        peek = _Peek()
    limits = {name: None for name in ("epochs", "max_steps") if getattr(peek, name) is not None}
    try:
        default = kind.from_preset(peek.preset, peek.model, peek.dataset, **limits)
    except ValueError as error:
        raise UserError(f"--preset: {error}") from None
    config = parse_flags(kind, f"python -m {kind.program}", args, default)
    config.check()
    return config
