"""A small set of music under the name of a benchmark, and runs on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.io import savemat

from train import polyphonic_music

__all__ = ["LSTM", "draw_piece", "train", "write_set"]

RUN = (
    *("--preset", "tiny", "--max-steps", "6", "--checkpoint-steps", "2", "--log-steps", "2"),
    *("--eval-every", "3", "--kl-zero", "1", "--kl-ramp", "2", "--test-samples", "2"),
)
LSTM = ("--model", "lstm")


def draw_piece(rng: np.random.Generator, num_steps: int) -> np.ndarray:
    """Chords of three notes, each held for four steps."""
    roll = np.zeros((num_steps, 88), np.uint8)
    for start in range(0, num_steps, 4):
        root = rng.integers(30, 50)
        roll[start : start + 4, [root, root + 4, root + 7]] = 1
    return roll


def write_set(folder: Path) -> Path:
    """Writes the set; one test piece is longer than all may be."""
    rng = np.random.default_rng(0)
    splits = {}
    for split, lengths in (
        ("traindata", [8, 12, 20, 9, 16, 11]),
        ("validdata", [10, 14]),
        ("testdata", [13, 25, 40]),
    ):
        cells = np.empty((1, len(lengths)), object)
        for i, length in enumerate(lengths):
            cells[0, i] = draw_piece(rng, length)
        splits[split] = cells
    savemat(folder / "JSB_Chorales.mat", splits)
    return folder


def train(data_dir: Path, workdir: Path, model: tuple[str, ...]) -> None:
    """Trains on the set for six steps."""
    flags = ["--dataset", "jsb", "--data-dir", str(data_dir), *model, *RUN]
    polyphonic_music.main([*flags, "--workdir", str(workdir)])
