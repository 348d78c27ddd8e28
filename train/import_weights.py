"""Makes the result of a bundle a run: `python -m train.import_weights RESULT --workdir W`.

RESULT is the folder `result` that a bundle's `run_bundle.py` left. Afterwards W is like the folder
of any finished run, for `train.evaluate`, `train.sample` and the programs of `export`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import tyro

from export.bundle.result import read_result
from train.errors import UserError, run_program
from train.flags import parse_flags
from train.quiet import import_tensorflow_quietly
from train.tasks import TASKS
from train.workdir import Workdir

__all__ = ["ImportConfig", "main"]


@dataclasses.dataclass(frozen=True)
class ImportConfig:
    """Makes the weights that a bundle has trained a run like any other."""

    result: tyro.conf.Positional[Path]
    """Folder `result` of the bundle's run."""
    workdir: Path
    """Folder of the run, empty or not there."""
    data_dir: Path | None = None
    """Folder with the files of the dataset. None: that of the export."""


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program; `args` are its flags, or None for those of the process.

    Raises:
      UserError: If the input is bad.
    """
    flags = parse_flags(ImportConfig, "python -m train.import_weights", args)
    numbers, values = read_result(flags.result)
    settings = numbers["settings"]
    task = TASKS[settings["task"]]
    config = task.config.from_dict(settings["train"])
    if flags.data_dir is not None:
        config = dataclasses.replace(config, data_dir=flags.data_dir)
    settings = {**settings, "train": config.to_dict()}
    workdir = Workdir(flags.workdir)
    workdir.check(settings)
    dataset = task.load(config)
    if dataset.sha256 != settings["dataset_sha256"]:
        raise UserError(
            f"{dataset.name} is not the dataset that the bundle was exported with: restore it, or "
            "name its folder with --data-dir"
        )

    import_tensorflow_quietly()
    from tf_latentflow import ModelConfig, build_model
    from train.finished_run import save_model, write_results

    model = build_model(ModelConfig.from_dict(settings["model"]))
    variables = [*model.trainable_variables, *model.non_trainable_variables]
    found = [tuple(value.shape) for value in values]
    if found != [tuple(variable.shape) for variable in variables]:
        raise UserError(
            f"{flags.result} holds the weights of another version of the model: "
            "import it with the version that exported the bundle"
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    workdir.claim(settings)
    save_model(model, workdir)
    write_results(
        workdir,
        task,
        config,
        dataset,
        model,
        test=numbers["test"],
        # The memory of another machine, which nobody counted.
        train={**numbers["train"], "peak_memory_gib": None},
    )
    print(f"the run lies in {workdir.path}")


if __name__ == "__main__":
    run_program(main)
