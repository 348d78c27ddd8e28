"""A small text, and runs on it in processes of their own."""

from __future__ import annotations

import random
import signal
from collections.abc import Sequence
from pathlib import Path

from tests.models import LEAST_FLOW
from tests.worker_processes import Worker, wait_for_step
from train.support.files import read_json

__all__ = [
    "RUN",
    "flags_of",
    "kill_after",
    "resumed_run",
    "sentences",
    "start_run",
    "write_sentences",
]

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


def flags_of(dataset: Path, workdir: Path) -> list[str]:
    return ["--dataset", str(dataset), "--workdir", str(workdir), *RUN]


def start_run(dataset: Path, workdir: Path) -> Worker:
    return Worker(["train.char_lm", *flags_of(dataset, workdir)], dataset.parent)


def kill_after(step: int, dataset: Path, workdir: Path) -> None:
    """Starts the run and kills it with SIGKILL soon after the checkpoint of a step is there."""
    run = start_run(dataset, workdir)
    wait_for_step(run, workdir, step)
    run.process.kill()
    assert run.wait()[0] == -signal.SIGKILL


def resumed_run(workdir: Path, undisturbed: Path) -> list[int]:
    """Checks that a run ended as the undisturbed one; returns the steps where it was resumed."""
    found, expected = (read_json(folder / "results.json") for folder in (workdir, undisturbed))
    resumes = found["train"].pop("resumed_from_steps")
    assert expected["train"].pop("resumed_from_steps") == []
    for train in (found["train"], expected["train"]):
        assert train.pop("wall_seconds") > 0
        assert 0 < train.pop("peak_memory_gib") < 24
    assert found == expected
    return resumes
