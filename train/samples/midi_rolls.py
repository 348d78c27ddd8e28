"""MIDI files as piano rolls for the methods of a model (`log_prob` and others), and back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tf_latentflow import SequenceModel
from train.data.music.config import MusicConfig
from train.data.music.midi import DEFAULT_TEMPO_BPM, read_midi, write_midi

__all__ = ["read_rolls", "steps_per_beat_of", "write_rolls"]


def steps_per_beat_of(model: SequenceModel) -> int:
    """Returns the time steps per quarter note in a model's training; 2 if unknown."""
    run = None if model.pretrained is None else model.pretrained.run
    return (run or {}).get("train", {}).get("steps_per_beat", MusicConfig.steps_per_beat)


def read_rolls(model: SequenceModel, paths: Sequence[str | Path]) -> list[np.ndarray]:
    """Reads MIDI files as piano rolls, uint8 `[T, 88]`, with the model's steps per beat.

        model.log_prob(read_rolls(model, ["song.mid"]))

    Raises:
      UserError: A file cannot be read.
    """
    steps = steps_per_beat_of(model)
    return [read_midi(Path(path), steps).roll for path in paths]


def write_rolls(
    model: SequenceModel,
    rolls: Sequence[np.ndarray],
    paths: Sequence[str | Path],
    tempo_bpm: float = DEFAULT_TEMPO_BPM,
) -> None:
    """Writes piano rolls as MIDI files, with the model's steps per beat.

        write_rolls(model, model.sample_rolls(2), ["a.mid", "b.mid"])

    Raises:
      UserError: mido is not installed.
    """
    for path, roll in zip(paths, rolls, strict=True):
        write_midi(Path(path), roll, steps_per_beat_of(model), tempo_bpm)
