"""The main function of the training programs: train, test and print the results."""

from __future__ import annotations

import contextlib
import platform
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import bijectors
import tf_latentflow
import train
from train.engine.checkpoint_folders import CheckpointFolders
from train.engine.results_table import results_table
from train.engine.workdir import ConfigFileError, Workdir
from train.engine.workers.cluster import Cluster, find_cluster
from train.engine.workers.joining import join
from train.engine.workers.linked_team import end_process
from train.engine.workers.team import Team
from train.runs.saved_run import saved_fields
from train.runs.too_long import refuse_too_long
from train.samples.printed import PRINTERS
from train.settings.config import TrainConfig
from train.settings.parsing import parse_train_config
from train.support.digests import sha256_of_code
from train.support.errors import UserError
from train.support.machine import has_fast_bfloat16, refuse_bfloat16_if_disabled
from train.support.screen import Screen
from train.support.startup import import_tensorflow_quietly

__all__ = ["run_training"]


def run_training(kind: type[TrainConfig], args: Sequence[str] | None = None) -> None:
    """Starts or resumes a run, or prints the results of a finished one.

    Args:
      kind: Class of the settings, for one kind of data.
      args: Flags; None for those of the process.

    Raises:
      UserError: The input is invalid.
      SystemExit: With status 1 if a loss is not finite; otherwise as for `parse_train_config`.
    """
    # Everything that does not need TensorFlow comes first, so that bad input is refused at once.
    config = parse_train_config(kind, args)
    workdir = Workdir(config.run_directory, saved_fields(kind))
    settings = config.run_fields()
    cluster = find_cluster(config.workers, config.worker_index)
    is_worker = cluster is not None and cluster.index > 0
    with Screen(is_silent=is_worker) as screen, _join(cluster, screen) as team:
        over = team.from_chief(team.is_chief and _is_over(workdir, settings, config))
        if not over:
            _train(config, settings, workdir, screen, team)
    if is_worker:
        return
    if over:
        print("this run has finished:")
    results = workdir.read_results()
    print()
    print(results_table("test", results["test"], config.unit))
    PRINTERS[config.task](workdir, results["samples"])
    print(f"\nthe run is in {workdir.path}")


def _join(cluster: Cluster | None, screen: Screen) -> Team:
    """The processes of the run, which end with one line when one of them is lost."""

    def end(line: str) -> None:
        screen.stop()
        end_process(line)

    def wait(what: str) -> None:
        screen.now(what)
        screen.log(what)

    return join(cluster, end, wait)


def _is_over(workdir: Workdir, settings: dict[str, Any], config: TrainConfig) -> bool:
    """Whether the run has finished and these settings do not extend it.

    The results remain available when the data or the version of the run are gone, but not when the
    data have changed.
    """
    if not workdir.results_file.exists():
        workdir.check(settings)
        _refuse_to_start_anew(workdir)
        return False
    try:
        workdir.check(settings, writing=False)
        if workdir.is_extended_by(settings) or not workdir.model_file.exists():
            _refuse_to_start_anew(workdir)
            return False
    except ConfigFileError as error:
        if not _ended_as_asked(workdir.read_results(), config):
            raise
        print(f"note: the settings cannot be compared ({error})", file=sys.stderr)
    try:
        digest = config.load().sha256
    except UserError as error:
        print(f"note: the data cannot be compared ({error})", file=sys.stderr)
    else:
        workdir.check_results_data(digest)
    return True


def _refuse_to_start_anew(workdir: Workdir) -> None:
    """Raises an error if a model would be trained from the start that has been trained before."""
    trained = workdir.results_file.exists() or workdir.model_file.exists()
    if trained and not CheckpointFolders(workdir.checkpoints).steps:
        raise UserError(
            f"{workdir.path} has no checkpoint to resume from, and its model would be trained from "
            "the start: choose another --workdir"
        )


def _ended_as_asked(results: Mapping[str, Any], config: TrainConfig) -> bool:
    """Whether results, from any version, belong to the run that the settings describe."""
    names = {"task": config.task, "model": config.model, "preset": config.preset}
    ends = {"steps": config.max_steps, "epochs": config.epochs}
    return {**names, "seed": config.seed}.items() <= results.items() and any(
        limit is not None and results["train"].get(name) == limit for name, limit in ends.items()
    )


def _train(
    config: TrainConfig, settings: dict[str, Any], workdir: Workdir, screen: Screen, team: Team
) -> None:
    """Starts or resumes the run. Only the chief of a team has its folder."""
    if config.mixed_precision:
        refuse_bfloat16_if_disabled()
    screen.now("reading the data")
    dataset = config.load()
    settings["dataset_sha256"] = dataset.sha256
    if team.is_chief:
        workdir.check(settings)
    screen.line(dataset.describe())
    if config.mixed_precision and not has_fast_bfloat16():
        screen.line(
            "note: this machine has no GPU and no bfloat16 instructions, so --mixed-precision "
            "makes each step slower"
        )
    model_config = config.model_config(**dataset.model_fields())
    settings["model"] = model_config.to_dict()
    refuse_too_long(
        f"the test split of {dataset.name}", dataset.test, model_config.max_length, config.unit
    )
    team.agree({**settings, **_versions()})
    screen.now("loading TensorFlow")
    import_tensorflow_quietly()
    from train.runs.training import train_and_test

    with workdir.claim(settings) if team.is_chief else contextlib.nullcontext():
        train_and_test(config, model_config, dataset, workdir, screen, team)


def _versions() -> dict[str, str]:
    """The versions of the code that computes a run, which are the same on all of its machines."""
    major, minor, _ = platform.python_version_tuple()
    return {
        "code": sha256_of_code(bijectors, tf_latentflow, train),
        "version of Python": f"{major}.{minor}",
    }
