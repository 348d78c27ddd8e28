"""Settings of a run from a command line. Preset, model and dataset determine the other defaults."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from typing import Annotated, TypeVar

import tyro

from tf_latentflow.config.rows import GIVEN, Setting
from train.settings.config import TrainConfig
from train.settings.show import show_config
from train.settings.source import config_of, find_model
from train.support.errors import UserError
from train.support.flags import parse_flags, peek_flags

__all__ = ["ShowFlag", "parse_train_config", "parse_with_extra"]

Config = TypeVar("Config", bound=TrainConfig)
Extra = TypeVar("Extra", bound="ShowFlag")


@dataclasses.dataclass(frozen=True)
class _Peek:
    """The flags that determine the defaults of the others."""

    model: str | None = None
    dataset: str | None = None
    preset: str = "small"
    init_from: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class ShowFlag:
    """A flag that is no setting of a run; a program may add others to it."""

    show_config: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print every setting of the run and of its model, and where it comes from; then exit."""


def parse_train_config(kind: type[Config], args: Sequence[str] | None = None) -> Config:
    """Returns the settings of `parse_with_extra`, without extra flags."""
    return parse_with_extra(kind, ShowFlag, kind.program, kind.__doc__, args)[0]


def parse_with_extra(
    kind: type[Config],
    extra: type[Extra],
    program: str,
    help_text: str,
    args: Sequence[str] | None = None,
) -> tuple[Config, Extra]:
    """Returns the checked settings of a run, with defaults by preset, model and dataset.

    Args:
      kind: Class of the settings.
      extra: Class of the program's other flags, which are returned too.
      program: Module of the program.
      help_text: What `--help` says first.
      args: Flags; None for those of the process.

    Raises:
      UserError: A value is invalid.
      SystemExit: As for `parse_flags`, and with status 0 after `--show-config`.
    """
    args = sys.argv[1:] if args is None else args
    peek = peek_flags(_Peek, args)
    model = peek.model
    if peek.init_from is not None:
        start = _start_of(peek.init_from)
        model = start if model is None else model
    try:
        default = kind.from_preset(peek.preset, model, peek.dataset)
    except ValueError as error:
        raise UserError(f"--preset: {error}") from None
    names = [field.name for field in dataclasses.fields(kind)]
    flags = dataclasses.make_dataclass(
        "Flags",
        [],
        bases=(extra, kind),
        namespace={"__doc__": help_text},
        frozen=True,
        kw_only=True,
    )
    defaults = flags(**{name: getattr(default, name) for name in names})
    parsed = parse_flags(flags, f"python -m {program}", args, defaults)
    # What is given may move what is not, as one limit does the other.
    given = {name: getattr(parsed, name) for name in _given(args) if name in names}
    if parsed.init_from is None:
        settings = kind.resolve(**given)
    else:
        settings = kind.resolve(**{**given, "model": parsed.model})
        settings["model"] = Setting(parsed.model, {"init_from": GIVEN})
    values = {name: getattr(parsed, name) for name in names}
    config = kind(**values | {n: setting.value for n, setting in settings.items() if setting.when})
    config.check()
    if parsed.show_config:
        print(show_config(config, settings), flush=True)
        raise SystemExit(0)
    return config, parsed


def _start_of(init_from: str) -> str:
    """Returns the row of the model to start from.

    Raises:
      UserError: There is no such model.
    """
    try:
        return config_of(find_model(init_from)).name
    except UserError as error:
        raise UserError(
            f"--init-from: {error}; if the model has moved, name its new place, and a run that "
            "started from it resumes"
        ) from None


def _given(args: Sequence[str]) -> set[str]:
    """Returns the names of the flags on a command line."""
    flags = (arg.partition("=")[0] for arg in args if arg.startswith("--"))
    return {flag[2:].replace("-", "_").removeprefix("no_") for flag in flags}
