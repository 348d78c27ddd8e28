"""A small text, and runs on it in processes of their own."""

from __future__ import annotations

import random
import sys
from pathlib import Path

from tests.models import LEAST_FLOW

__all__ = ["RUN", "command", "write_sentences"]

WORDS = ("a", "cat", "sees", "the", "dog", "runs", "home", "while", "birds", "sing", "in", "trees")
RUN = (
    *(*LEAST_FLOW, "--preset", "tiny", "--max-steps", "16", "--checkpoint-steps", "2"),
    *("--log-steps", "2", "--eval-every", "10", "--kl-zero", "2", "--kl-ramp", "4"),
    *("--test-samples", "2", "--seed", "3"),
)


def write_sentences(path: Path) -> Path:
    """A text of 150 sentences, one that is too long, and one of an unusual character."""
    rng = random.Random(0)
    lines = [" ".join(rng.choices(WORDS, k=rng.randint(2, 9))) for _ in range(150)]
    path.write_text("\n".join([*lines, "too long " * 50, "\N{SNOWMAN}"]), encoding="utf-8")
    return path


def command(dataset: Path, workdir: Path) -> list[str]:
    program = [sys.executable, "-m", "train.char_lm"]
    return [*program, "--dataset", str(dataset), "--workdir", str(workdir), *RUN]
