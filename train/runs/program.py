"""What every training program does: train, test, and print the results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from train.data.music.config import MusicConfig
from train.data.text.config import TextConfig
from train.engine.results_table import results_table
from train.engine.workdir import Workdir
from train.runs.too_long import refuse_too_long
from train.samples.printed import print_samples
from train.settings.parsing import parse_train_config
from train.support.files import read_json
from train.support.startup import import_tensorflow_quietly

__all__ = ["run_training"]


def run_training(
    kind: type[TextConfig] | type[MusicConfig], args: Sequence[str] | None = None
) -> None:
    """Starts a run, goes on with it, or prints the numbers of a finished one.

    Args:
      kind: What a run on this kind of data is told.
      args: Flags, or None for those of the process.

    Raises:
      UserError: If the input is bad.
      SystemExit: With status 1 if the training went non-finite, as `parse_train_config` otherwise.
    """
    # What needs no TensorFlow comes first, so that bad input is refused at once.
    config = parse_train_config(kind, args)
    workdir = Workdir(config.run_directory)
    settings: dict[str, Any] = {"task": config.task, "train": config.to_dict()}
    workdir.check(settings)

    dataset = config.load()
    settings["dataset_sha256"] = dataset.sha256
    workdir.check(settings)
    if workdir.results_file.exists():
        print("this run has finished:")
    else:
        print(dataset.describe())
        model_config = config.model_config(**dataset.model_fields())
        settings["model"] = model_config.to_dict()
        refuse_too_long(
            f"the test split of {dataset.name}", dataset.test, model_config.max_length, config.unit
        )
        import_tensorflow_quietly()
        from train.runs.training import train

        workdir.claim(settings)
        train(config, model_config, dataset, workdir)
    results = read_json(workdir.results_file)
    print()
    print(results_table("test", results["test"], config.unit))
    print_samples(config.task, workdir.path, results["samples"])
    print(f"\nthe run lies in {workdir.path}")
