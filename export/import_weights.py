"""Turns the result of a bundle into a run: `python -m export.import_weights RESULT --workdir W`.

RESULT is the folder `result` written by the bundle's `run_bundle.py`. Afterwards W is like the
folder of any finished run, for `train.evaluate`, `train.sample` and the programs of `export`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import tyro

from export.bundle.device.result import read_result
from tf_latentflow import ModelConfig
from tf_latentflow.config import ConfigError
from train.data.tasks import TASKS
from train.engine.differences import other_fields, with_defaults
from train.engine.workdir import Workdir
from train.runs.saved_run import saved_fields
from train.support.errors import UserError, run_program
from train.support.flags import parse_flags
from train.support.screen import Screen
from train.support.startup import import_tensorflow_quietly

__all__ = ["ImportConfig", "main"]


@dataclasses.dataclass(frozen=True)
class ImportConfig:
    """Turns the weights trained by a bundle into a run like any other."""

    result: tyro.conf.Positional[Path]
    """Folder `result` of the bundle's run."""
    workdir: Path
    """Folder of the new run; it must be empty or not exist."""
    data_dir: Path | None = None
    """Folder with the files of the dataset. None: that of the export."""


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program.

    Args:
      args: Its flags; None for those of the process.

    Raises:
      UserError: The input is invalid.
    """
    flags = parse_flags(ImportConfig, "python -m export.import_weights", args)
    numbers, values = read_result(flags.result)
    kind = TASKS[numbers["settings"]["task"]]
    fields = saved_fields(kind)
    settings = with_defaults(numbers["settings"], fields)
    if other := other_fields(settings, fields):
        raise UserError(
            f"{flags.result} {other}: export the training again, or use the version that wrote it"
        )
    try:
        config = kind.from_dict(settings["train"])
        model_config = ModelConfig.from_dict(settings["model"])
    except ConfigError as error:
        raise UserError(f"{flags.result} is damaged ({error}): copy it again") from None
    if flags.data_dir is not None:
        config = dataclasses.replace(config, data_dir=flags.data_dir)
    settings = {**settings, "train": config.to_dict()}
    workdir = Workdir(flags.workdir)
    # An import that was killed has neither, and may be repeated.
    if workdir.has_finished or workdir.checkpoints.exists():
        raise UserError(f"--workdir expects an empty folder or none; {workdir.path} holds a run")
    workdir.check(settings)
    dataset = config.load()
    if dataset.sha256 != settings["dataset_sha256"]:
        raise UserError(
            f"{dataset.name} is not the dataset that the bundle was exported with: restore it, or "
            "name its folder with --data-dir"
        )

    import_tensorflow_quietly()
    from tf_latentflow import build_model
    from train.backend.board import Board
    from train.runs.saved_model import save_model
    from train.runs.training import write_results

    model = build_model(model_config)
    variables = [*model.trainable_variables, *model.non_trainable_variables]
    if [value.shape for value in values] != [tuple(variable.shape) for variable in variables]:
        raise UserError(
            f"{flags.result} holds the weights of another version of the model: "
            "import it with the version that exported the bundle"
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    workdir.claim(settings)
    save_model(model, workdir)
    board = Board(workdir.tensorboard, config.unit)
    board.begin(0)
    for line in numbers["validations"]:
        board.validation(line["step"], line["seconds"], line["valid"], line["best"])
    write_results(
        workdir,
        config,
        dataset,
        model,
        test=numbers["test"],
        # The memory of another machine, which nobody counted.
        train={**numbers["train"], "peak_memory_gib": None},
        screen=Screen(),
    )
    print(f"the run is in {workdir.path}")


if __name__ == "__main__":
    run_program(main)
