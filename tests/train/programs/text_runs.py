"""A small text, and runs on it in processes of their own."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.models import LEAST_FLOW
from tests.paths import environment

__all__ = ["RUN", "command", "kill_after", "resumed_run", "sentences", "write_sentences"]

WORDS = ("a", "cat", "sees", "the", "dog", "runs", "home", "while", "birds", "sing", "in", "trees")
RUN = (
    *(*LEAST_FLOW, "--preset", "tiny", "--max-steps", "16", "--checkpoint-steps", "2"),
    *("--log-steps", "2", "--eval-every", "10", "--kl-zero", "2", "--kl-ramp", "4"),
    *("--test-samples", "2", "--seed", "3"),
)


def sentences(
    rng: random.Random, count: int, words: Sequence[str] = WORDS, most: int = 9
) -> list[str]:
    """Sentences of 2 to `most` words."""
    return [" ".join(rng.choices(words, k=rng.randint(2, most))) for _ in range(count)]


def write_sentences(path: Path) -> Path:
    """A text of 150 sentences, one that is too long, and one of an unusual character."""
    lines = sentences(random.Random(0), 150)
    path.write_text("\n".join([*lines, "too long " * 50, "\N{SNOWMAN}"]), encoding="utf-8")
    return path


def command(dataset: Path, workdir: Path) -> list[str]:
    program = [sys.executable, "-m", "train.char_lm"]
    return [*program, "--dataset", str(dataset), "--workdir", str(workdir), *RUN]


def kill_after(step: int, dataset: Path, workdir: Path) -> None:
    """Starts the run and kills it with SIGKILL soon after the checkpoint of a step is there."""
    process = subprocess.Popen(
        command(dataset, workdir),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    deadline = time.monotonic() + 900  # A busy machine is no failure.
    while not (workdir / "checkpoints" / f"step-{step:09d}").exists():
        assert process.poll() is None, process.communicate()[1].decode()
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def resumed_run(workdir: Path, undisturbed: Path) -> list[int]:
    """Checks that a run ended as the undisturbed one; returns the steps where it was resumed."""
    found, expected = (
        json.loads((folder / "results.json").read_text()) for folder in (workdir, undisturbed)
    )
    resumes = found["train"].pop("resumed_from_steps")
    assert expected["train"].pop("resumed_from_steps") == []
    for train in (found["train"], expected["train"]):
        assert train.pop("wall_seconds") > 0
        assert 0 < train.pop("peak_memory_gib") < 24
    assert found == expected
    return resumes
