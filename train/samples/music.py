"""Samples of music as MIDI files with pictures, and piano rolls for TensorBoard."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_latentflow import ModelConfig
from tf_latentflow.ways.batches import draw_sequences, padded
from train.backend.board import Board
from train.data.music.config import MusicConfig
from train.data.music.midi import DEFAULT_TEMPO_BPM, midi_bytes, unused_name, write_midi
from train.data.music.sets import MusicSet
from train.samples.flags import SampleConfig
from train.samples.given import Given
from train.samples.made import make_sequences
from train.samples.protocol import Show
from train.samples.roll_pictures import roll_png
from train.samples.roll_statistics import summary
from train.support.extras import missing_packages

__all__ = ["MusicSamples", "write_pieces"]

_NUM_SAMPLES = 16  # Samples for the statistics of a finished run.
_NUM_FILES = 4  # Samples that are written as files.
_SAMPLE_STEPS = 128  # Length of the samples, if the model allows it.

_SHOWN = 3
_SHOWN_STEPS = 96


def write_pieces(
    folder: Path,
    names: Sequence[str],
    rolls: Sequence[np.ndarray],
    steps_per_beat: int,
    tempo_bpm: float = DEFAULT_TEMPO_BPM,
) -> list[Path]:
    """Writes `NAME.mid` and `NAME.png` for every piece, uint8 `[T, 88]`; returns all paths.

    Without matplotlib there are no pictures.

    Raises:
      UserError: mido is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, roll in zip(names, rolls, strict=True):
        midi, picture = (folder / f"{name}.{kind}" for kind in ("mid", "png"))
        write_midi(midi, roll, steps_per_beat, tempo_bpm)
        paths.append(midi)
        if _has("matplotlib"):
            picture.write_bytes(roll_png(roll, name, steps_per_beat))
            paths.append(picture)
    return paths


class MusicSamples:
    """Pieces as MIDI files with pictures. A `train.samples.protocol.Samples`."""

    def show(
        self, model_config: ModelConfig, valid: Sequence[np.ndarray], config: MusicConfig
    ) -> Show:
        _say_what_is_missing()
        return _show(valid, config.seed, config.steps_per_beat)

    def leave(
        self,
        model: keras.Model,
        dataset: MusicSet,
        config: MusicConfig,
        folder: Path,
        progress: Callable[[int, int], None],
    ) -> dict[str, Any]:
        length = min(_SAMPLE_STEPS, model.config.max_length)
        rolls = draw_sequences(
            model, _NUM_SAMPLES, seed=config.seed, length=length, progress=progress
        )
        names = [f"final-{i}" for i in range(_NUM_FILES)]
        if _has("mido"):
            write_pieces(folder / "samples", names, rolls[:_NUM_FILES], config.steps_per_beat)
        return {"samples": summary(rolls), "data": summary(dataset.train)}

    def sample(
        self,
        model: keras.Model,
        flags: SampleConfig,
        config: MusicConfig,
        given: Given,
        progress: Callable[[int, int], None],
    ) -> list[str]:
        _say_what_is_missing()
        rolls = make_sequences(model, flags, given, progress)
        tempo = flags.tempo or given.tempo or DEFAULT_TEMPO_BPM
        name = f"{given.name or 'sample'}-{flags.seed}"
        names = [
            unused_name(flags.out, f"{name}-{i}", midi_bytes(roll, config.steps_per_beat, tempo))
            for i, roll in enumerate(rolls)
        ]
        paths = write_pieces(flags.out, names, rolls, config.steps_per_beat, tempo)
        return list(map(str, paths))


def _has(package: str) -> bool:
    """Returns whether a package of the extra `music` is installed."""
    return not missing_packages("music", package)


def _say_what_is_missing() -> None:
    """Prints to standard error which files are not written because a package is missing."""
    for package, files in (("mido", "MIDI files"), ("matplotlib", "pictures")):
        if not _has(package):
            print(
                f"no {files} of samples: {package} is not installed; pip install '.[music]'",
                file=sys.stderr,
            )


def _show(valid: Sequence[np.ndarray], seed: int, steps_per_beat: int) -> Show:
    """Returns a function that shows samples and reconstructions as piano rolls in TensorBoard.

    Args:
      valid: Pieces; the beginnings of the first ones are reconstructed if the model can.
      seed: The same for every call, so that only the model changes.
      steps_per_beat: Time steps per quarter note.
    """
    x, lengths = padded([roll[:_SHOWN_STEPS] for roll in valid[:_SHOWN]])

    def show(model: keras.Model, board: Board, step: int) -> None:
        if not _has("matplotlib"):
            return
        length = min(_SHOWN_STEPS, model.config.max_length)
        samples = draw_sequences(model, _SHOWN, seed=seed, length=length)
        pictures = [roll_png(roll, "sample", steps_per_beat) for roll in samples]
        board.images("valid", step, "samples", pictures)
        if hasattr(model, "reconstruct"):
            again = model.reconstruct(x, lengths, tf.constant([seed, 0], tf.int32)).numpy()
            pairs = [
                roll_png(roll[:size], title, steps_per_beat)
                for rolls in zip(x, again, lengths, strict=True)
                for roll, title, size in (
                    (rolls[0], "piece", rolls[2]),
                    (rolls[1], "its reconstruction", rolls[2]),
                )
            ]
            board.images("valid", step, "reconstructions", pairs)

    return show
