"""Samples of music as MIDI files with pictures, and piano rolls for TensorBoard."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_latentflow import ModelConfig
from tf_latentflow.interfaces.batches import draw_sequences, padded
from train.backend.board import Board
from train.data.music.config import MusicConfig
from train.data.music.midi import DEFAULT_TEMPO_BPM, midi_bytes
from train.data.music.sets import MusicSet
from train.engine.run_files import RunFiles
from train.samples.flags import SampleConfig
from train.samples.given import Given
from train.samples.piece_files import piece_names, unused_paths
from train.samples.roll_pictures import roll_png
from train.samples.roll_statistics import summary
from train.samples.sequences import make_sequences
from train.samples.ways import way_of
from train.support.extras import missing_packages
from train.support.files import write_bytes

__all__ = ["MusicSamples"]

_NUM_SAMPLES = 16  # Samples for the statistics of a finished run.
_NUM_FILES = 4  # Samples that are written as files.
_SAMPLE_STEPS = 128  # Length of the samples, if the model allows it.

_SHOWN = 3
_SHOWN_STEPS = 96


class MusicSamples:
    """Pieces as MIDI files with pictures. A `train.samples.kinds.Samples`."""

    def show(
        self, model_config: ModelConfig, valid: Sequence[np.ndarray], config: MusicConfig
    ) -> Callable[[keras.Model, Board, int], None]:
        """Returns a function that shows samples and reconstructions as piano rolls."""
        _say_what_is_missing()
        x, lengths = padded([roll[:_SHOWN_STEPS] for roll in valid[:_SHOWN]])
        seed = config.seed  # The same at every call, so that only the model changes.

        def show(model: keras.Model, board: Board, step: int) -> None:
            if not _has("matplotlib"):
                return
            length = min(_SHOWN_STEPS, model.config.max_length)
            samples = draw_sequences(model, _SHOWN, seed=seed, length=length)
            pictures = [roll_png(roll, "sample", config.steps_per_beat) for roll in samples]
            board.images(step, "samples", pictures)
            if model.config.is_flow:
                again = model.reconstruct(x, lengths, tf.constant([seed, 0], tf.int32)).numpy()
                pairs = [
                    roll_png(roll[:size], title, config.steps_per_beat)
                    for *rolls, size in zip(x, again, lengths, strict=True)
                    for roll, title in zip(rolls, ("piece", "its reconstruction"), strict=True)
                ]
                board.images(step, "reconstructions", pairs)

        return show

    def write(
        self,
        model: keras.Model,
        dataset: MusicSet,
        config: MusicConfig,
        run: RunFiles,
        progress: Callable[[int, int], None],
    ) -> dict[str, Any]:
        length = min(_SAMPLE_STEPS, model.config.max_length)
        rolls = draw_sequences(
            model, _NUM_SAMPLES, seed=config.seed, length=length, progress=progress
        )
        if _has("mido"):
            run.samples_folder.mkdir(exist_ok=True)
            for i, roll in enumerate(rolls[:_NUM_FILES]):
                content = midi_bytes(roll, config.steps_per_beat)
                _write_piece(run.piece(i), content, roll, config)
        return {"samples": summary(rolls), "data": summary(dataset.train)}

    def sample(
        self,
        model: keras.Model,
        flags: SampleConfig,
        config: MusicConfig,
        given: Given,
        progress: Callable[[int, int], None],
    ) -> Iterator[str]:
        _say_what_is_missing()
        tempo = flags.tempo or given.tempo or DEFAULT_TEMPO_BPM
        way = way_of(flags).field.rstrip("_")
        names = iter(piece_names(given.name, way, flags.seed, flags.num or flags.steps))
        for rolls in make_sequences(model, flags, given, progress):
            contents = [midi_bytes(roll, config.steps_per_beat, tempo) for roll in rolls]
            own = list(itertools.islice(names, len(rolls)))
            paths = unused_paths(flags.out, own, contents)
            for path, content, roll in zip(paths, contents, rolls, strict=True):
                kept = given.mask
                if way == "continue":
                    kept = np.arange(len(roll))[:, None] < len(given.sequences[0])
                yield from map(str, _write_piece(path, content, roll, config, kept))


def _write_piece(
    path: Path,
    content: bytes,
    roll: np.ndarray,
    config: MusicConfig,
    given: np.ndarray | None = None,
) -> list[Path]:
    """Writes a MIDI file and, with matplotlib, a picture beside it; returns their paths."""
    write_bytes(path, content)
    if not _has("matplotlib"):
        return [path]
    picture = path.with_suffix(".png")
    write_bytes(picture, roll_png(roll, path.stem, config.steps_per_beat, given))
    return [path, picture]


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
