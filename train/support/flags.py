"""Command lines defined by dataclasses; an invalid flag gives one message and exit status 2."""

from __future__ import annotations

import dataclasses
import inspect
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar

import tyro

from train.support.ranges import check_ranges

__all__ = ["OptionalText", "parse_flags", "peek_flags"]

T = TypeVar("T")

# Any text that a user types, the word None included, which would be read as no text otherwise.
OptionalText: TypeAlias = Annotated[
    str | None,
    tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar="STR",
        instance_from_str=lambda args: args[0],
        is_instance=lambda value: value is None or isinstance(value, str),
        str_from_instance=lambda value: [str(value)],
    ),
]


def parse_flags(
    kind: type[T], program: str, args: Sequence[str] | None = None, default: T | None = None
) -> T:
    """Returns a dataclass filled from the command line; its docstrings are the help text.

    A path that starts with `~` lies in the user's home, also where the shell leaves it so
    (`--out=~/pieces`).

    Args:
      kind: The dataclass.
      program: The command, for the help text.
      args: The command line; None for that of the process.
      default: Values of flags that are not given; None for the defaults of the dataclass.

    Raises:
      UserError: A number is not in the range of its field; see `train.support.ranges`.
      SystemExit: With status 2 after a message on standard error if a flag is invalid; with status
        0 after `--help`.
    """
    options: dict[str, Any] = {} if default is None else {"default": default}
    flags = tyro.cli(
        kind,
        prog=program,
        description=inspect.cleandoc(kind.__doc__ or ""),
        args=args,
        # Otherwise a default moves a field of a Literal or Optional type into a subcommand.
        config=(tyro.conf.AvoidSubcommands,),
        **options,
    )
    check_ranges(flags)
    return _expand_home(flags)


def peek_flags(kind: type[T], args: Sequence[str] | None = None) -> T:
    """Returns those flags of a command line that determine which other flags there are.

    Args:
      kind: A dataclass of these flags. Its defaults are returned for an invalid command line, which
        is then parsed as a whole and rejected with a message.
      args: The command line; None for that of the process.
    """
    try:
        flags, _ = tyro.cli(
            kind, args=args, return_unknown_args=True, add_help=False, console_outputs=False
        )
    except SystemExit:
        return kind()
    return flags


def _expand_home(flags: T) -> T:
    paths = {
        name: type(value)(os.path.expanduser(value))
        for name, value in vars(flags).items()
        if isinstance(value, Path) or (name == "dataset" and value)  # A name or a path.
    }
    return dataclasses.replace(flags, **paths)
