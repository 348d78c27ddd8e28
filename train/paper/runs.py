"""The runs behind tables and figures: missing ones are made, each in its own folder."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from train.data.tasks import task_of
from train.engine.differences import describe_difference, differences
from train.engine.workdir import Workdir
from train.paper.experiments import Run
from train.paper.scales import flags_of
from train.settings.parsing import parse_train_config
from train.support.errors import UserError
from train.support.files import read_json_or_refuse, write_json

__all__ = ["Runs"]

_CURE = "delete it and run the same command again, which restores it"
_CONFIG_CURE = "move the folder away and run the same command again"


class Runs:
    """Runs of one scale in a folder.

    The folder of a run is `NAME-DATASET-SCALE-SEED`. Several processes may work on the same folder
    if they make different runs.
    """

    def __init__(self, folder: Path, scale: str, data_dir: Path | None) -> None:
        """Touches no file.

        Args:
          folder: Of the runs' folders.
          scale: A key of `SCALES`.
          data_dir: Folder with the files of the datasets, or None for the training's default.
        """
        self._folder = folder
        self._scale = scale
        self._data_dir = data_dir

    def workdir(self, run: Run, seed: int) -> Workdir:
        """Returns the folder of a run. A separate test shares the folder of its training."""
        name = run.name if run.samples is None else run.model
        return Workdir(self._folder / f"{name}-{run.dataset}-{self._scale}-{seed}")

    def results(self, run: Run, seed: int) -> dict[str, Any] | None:
        """Returns the results.json of a finished run, or None.

        Raises:
          UserError: The folder holds a run with other settings, or is damaged.
        """
        workdir = self.workdir(run, seed)
        if not workdir.results_file.exists():
            return None
        self._check_settings(run, seed)
        results = workdir.read_results()
        if run.samples is not None:
            own = self._own_test(run, seed)
            if not own.exists():
                return None
            results["test"] = read_json_or_refuse(own, _CURE)
        return results

    def finished(self, run: Run) -> dict[int, dict[str, Any]]:
        """Returns the results of the finished runs by seed, ascending."""
        prefix = self.workdir(run, 0).path.name[:-1]
        found = (path.name.removeprefix(prefix) for path in self._folder.glob(prefix + "*"))
        seeds = sorted(int(seed) for seed in found if seed.isdigit())
        results = {seed: self.results(run, seed) for seed in seeds}
        return {seed: found for seed, found in results.items() if found is not None}

    def make(self, run: Run, seed: int) -> None:
        """Trains and tests a run, or resumes it; does nothing if it has finished.

        Raises:
          SystemExit: A program failed, after printing the reason; with its exit status.
          UserError: The folder holds a run with other settings, or is damaged.
        """
        workdir = self.workdir(run, seed)
        if workdir.results_file.exists():
            self._check_settings(run, seed)
        else:
            print(f"{run.name} on {run.dataset}, seed {seed}, in {workdir.path}", flush=True)
            flags = [*self._flags(run, seed), "--workdir", str(workdir.path)]
            if self._data_dir is not None:
                flags += ["--data-dir", str(self._data_dir)]
            _run([task_of(run.dataset).program, *flags])
        if run.samples is not None and not self._own_test(run, seed).exists():
            print(f"{run.name}: testing {workdir.path}, {run.samples} samples each", flush=True)
            flags = ["--samples", str(run.samples), "--json"]
            output = _run(["train.evaluate", str(workdir.path), *flags], capture=True)
            write_json(self._own_test(run, seed), json.loads(output))

    def _check_settings(self, run: Run, seed: int) -> None:
        """Checks that the folder holds this run; fields that its version did not have are equal."""
        workdir = self.workdir(run, seed)
        try:
            there = read_json_or_refuse(workdir.config_file, _CONFIG_CURE)["train"]
        except FileNotFoundError:
            raise UserError(
                f"{workdir.path} has results and no config.json: {_CONFIG_CURE}"
            ) from None
        asked = parse_train_config(task_of(run.dataset), self._flags(run, seed)).to_dict()
        found = differences(there, {name: asked[name] for name in there if name in asked})
        if there["dataset"] != run.dataset:
            found["dataset"] = there["dataset"], run.dataset
        if found:
            words = "; ".join(describe_difference(name, *pair) for name, pair in found.items())
            raise UserError(
                f"{workdir.path} holds a run with other settings than {run.name} at scale "
                f"{self._scale} ({words}): move it, or choose another --out"
            )

    def _flags(self, run: Run, seed: int) -> list[str]:
        return [*flags_of(run, self._scale), "--seed", str(seed)]

    def _own_test(self, run: Run, seed: int) -> Path:
        return self.workdir(run, seed).path / f"test-{run.samples}-samples.json"


def _run(module_and_flags: Sequence[str], capture: bool = False) -> str:
    """Runs a program of this project; returns its output if that is captured."""
    command = [sys.executable, "-m", *module_and_flags]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE if capture else None, text=True
    ) as process:
        try:
            output, _ = process.communicate()
        except BaseException:
            process.terminate()  # It stops with a checkpoint, from which it resumes the next time.
            process.wait()
            raise
    if process.returncode:
        print(
            f"error: {' '.join(command)} failed with status {process.returncode}", file=sys.stderr
        )
        raise SystemExit(process.returncode if process.returncode > 0 else 1)
    return output or ""
