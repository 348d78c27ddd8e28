"""Turns a finished run into a pretrained model, to be used by name or shared as a folder.

    python -m export.pretrained WORKDIR --name NAME --out DIR --about ABOUT.toml
    python -m train.sample DIR/NAME -n 5
    python -m train.evaluate DIR/NAME

ABOUT.toml contains what the run does not know: `description`, `data`, `license`, `limits`. Flags of
the same names override it. A model in `tf_latentflow/pretrained/models` is part of the package and
appears in the table of `python -m train.sample --list`.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from tf_latentflow.pretrained.card import Card, Result
from tf_latentflow.pretrained.download import check_url
from tf_latentflow.pretrained.folder import CONFIG_FILE
from train.engine.workdir import Workdir
from train.runs.saved_run import SavedRun, read_run
from train.settings.command import training_command
from train.support.errors import UserError, run_program
from train.support.files import whole_folder
from train.support.flags import parse_flags
from train.support.machine import describe_machine
from train.support.startup import import_tensorflow_quietly

__all__ = ["PretrainedConfig", "main"]

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_ABOUT = ("description", "data", "license", "limits")
_SHOWN = 10


@dataclasses.dataclass(frozen=True)
class PretrainedConfig:
    """Turns a finished run into a pretrained model: its weights, and a card with its results."""

    workdir: tyro.conf.Positional[Path]
    """Folder of a finished run."""
    name: str
    """Name of the model and of its folder in --out."""
    out: Path
    """Folder of pretrained models."""
    about: Path | None = None
    """TOML file with description, data, license and limits."""
    description: str | None = None
    """What it models, in one sentence. None: that of --about."""
    data: str | None = None
    """What it was trained on, and where the data come from. None: that of --about."""
    license: str | None = None
    """License of the data. None: that of --about."""
    limits: str | None = None
    """What it cannot do. None: that of --about."""
    dtype: Literal["float16", "float32"] = "float16"
    """Type of the weights in the file; float16 halves its size."""
    commit: str | None = None
    """Commit at which it was trained. None: that of this checkout, if there is one."""
    hardware: str | None = None
    """Machine on which it was trained. None: this one."""
    url: Annotated[str | None, tyro.conf.arg(metavar="URL")] = None
    """Where the weights can be downloaded if they are not in the folder."""
    force: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Replace an existing model of that name."""


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program.

    Args:
      args: Its flags; None for those of the process.

    Raises:
      UserError: The input is invalid.
    """
    flags = parse_flags(PretrainedConfig, "python -m export.pretrained", args)
    if not _NAME.fullmatch(flags.name):
        raise UserError(f"--name expects a-z, 0-9 and - only; got {flags.name!r}")
    folder = flags.out / flags.name
    if folder.exists() and not flags.force:
        raise UserError(f"{folder} already exists: choose another --name, or give --force")
    if folder.is_symlink() or (folder.exists() and not (folder / CONFIG_FILE).is_file()):
        raise UserError(f"--force replaces a pretrained model, but {folder} is not one")
    if flags.url is not None:
        try:
            check_url(flags.url)
        except ValueError as error:
            raise UserError(f"--url: {error}") from None
    workdir = Workdir(flags.workdir)
    run = read_run(flags.workdir)
    if not isinstance(run.source, Workdir) or not workdir.results_file.exists():
        raise UserError(f"{flags.workdir} is not the folder of a finished run")
    about = _about(flags)
    import_tensorflow_quietly()
    from train.runs.saved_model import load_model

    model = load_model(run.source)  # Refuses one that the results are not about.
    card = _card(flags, about, run, workdir)
    with whole_folder(folder, replace=flags.force) as temporary:
        try:
            model.save_pretrained(temporary, card, flags.dtype, _run_fields(run), flags.url)
        except ValueError as error:
            raise UserError(f"{error}; try --dtype float32") from None
        for sample in card.samples if run.config.task == "music" else ():
            (temporary / sample).parent.mkdir(exist_ok=True)
            shutil.copyfile(workdir.path / sample, temporary / sample)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
    print(f"{folder}: {size:.2f} MB")
    named = run.config.has_named_dataset
    data = "" if named else f" --dataset {shlex.quote(run.config.dataset)} --split test"
    print(f"to evaluate it: python -m train.evaluate {folder}{data}")


def _card(
    flags: PretrainedConfig, about: Mapping[str, str], run: SavedRun, workdir: Workdir
) -> Card:
    results = workdir.read_results()
    started = workdir.read_config().get("init_from")
    config = dataclasses.replace(run.config, dataset=_plain_dataset(run), init_from=started)
    test, train, unit = results["test"], results["train"], run.config.unit
    command, device = training_command(config), train.get("device")
    if device:  # It was a bundle.
        command = command.replace(config.program, "export.train_program", 1)
    finished = datetime.date.fromtimestamp(workdir.results_file.stat().st_mtime)
    return Card(
        name=flags.name,
        **about,
        command=command,
        commit=_commit() if flags.commit is None else flags.commit,
        seed=run.config.seed,
        steps=train["steps"],
        hours=round(train["wall_seconds"] / 3600, 3),
        hardware=flags.hardware or device or describe_machine(),
        date=finished.isoformat(),
        test=Result(
            metric=unit.name,
            value=test[unit.name],
            stderr=test[unit.stderr],
            num_sequences=test["num_sequences"],
            num_samples=None if test[unit.kl] is None else test["num_samples"],
        ),
        samples=_samples(run, workdir),
    )


def _about(flags: PretrainedConfig) -> dict[str, str]:
    """The user's description of the model."""
    said: dict[str, Any] = {}
    if flags.about is not None:
        try:
            said = tomllib.loads(flags.about.read_text(encoding="utf-8-sig"))
        except ValueError as error:
            raise UserError(f"{flags.about} is not valid TOML ({error})") from None
        strange = [name for name, v in said.items() if name not in _ABOUT or type(v) is not str]
        if strange:
            raise UserError(
                f"{flags.about}: expected {', '.join(_ABOUT)}, each a text; got {strange[0]!r}"
            )
    given = {name: getattr(flags, name) for name in _ABOUT}
    said |= {name: value for name, value in given.items() if value is not None}
    if missing := [name for name in _ABOUT if not said.get(name, "").strip()]:
        raise UserError(
            f"the card lacks {', '.join(missing)}: give --{missing[0]} TEXT, or --about FILE"
        )
    return {name: " ".join(value.split()) for name, value in said.items()}


def _run_fields(run: SavedRun) -> Mapping[str, Any]:
    train = {**run.config.to_dict(), "dataset": _plain_dataset(run), "data_dir": None}
    return {"task": run.config.task, "train": train, "dataset_sha256": run.dataset_sha256}


def _plain_dataset(run: SavedRun) -> str:
    """The dataset without its folder on this machine."""
    config = run.config
    return config.dataset if config.has_named_dataset else Path(config.dataset).name


def _samples(run: SavedRun, workdir: Workdir) -> tuple[str, ...]:
    """Texts, or the paths of MIDI files in the run's folder."""
    if run.config.task == "music":
        return tuple(file.relative_to(workdir.path).as_posix() for file in workdir.pieces)
    lines = workdir.texts_file.read_text(encoding="utf-8", errors="replace").split("\n")
    return tuple(lines[:_SHOWN])


def _commit() -> str:
    """The commit of this checkout, marked if files have changed since; empty without one."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


if __name__ == "__main__":
    run_program(main)
