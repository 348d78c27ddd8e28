"""Pieces that a model draws or varies, as MIDI files with pictures, and what TensorBoard shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from train.board import Board
from train.draw import draw_sequences, padded
from train.music.midi import write_midi
from train.music.pictures import roll_png

__all__ = ["music_show", "vary_piece", "write_pieces"]

_SHOWN = 3
_SHOWN_STEPS = 96


def write_pieces(
    folder: Path, names: Sequence[str], rolls: Sequence[np.ndarray], steps_per_beat: int
) -> list[Path]:
    """Writes `NAME.mid` and `NAME.png` of every piece, uint8 `[T, 88]`; returns all paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, roll in zip(names, rolls, strict=True):
        midi, picture = (folder / f"{name}.{kind}" for kind in ("mid", "png"))
        write_midi(midi, roll, steps_per_beat)
        picture.write_bytes(roll_png(roll, name, steps_per_beat))
        paths += [midi, picture]
    return paths


def vary_piece(
    model: keras.Model, roll: np.ndarray, n: int, amount: float, seed: int, temperature: float
) -> list[np.ndarray]:
    """Returns `n` variations of a piece, int32 `[T, 88]` each; see `LatentFlow.vary`."""
    x = np.repeat(roll[None], n, axis=0)
    lengths = np.full([n], len(roll), np.int32)
    varied = model.vary(x, lengths, amount, tf.constant([seed, 0], tf.int32), temperature)
    return list(varied.numpy())


def music_show(
    valid: Sequence[np.ndarray], seed: int, steps_per_beat: int
) -> Callable[[keras.Model, Board, int], None]:
    """Returns what shows samples and reconstructions of a model as piano rolls in TensorBoard.

    Args:
      valid: Pieces of which the beginnings of the first are reconstructed, where the model can.
      seed: The same for every call, so that what changes is the model.
      steps_per_beat: Time steps of a quarter note.
    """
    x, lengths = padded([roll[:_SHOWN_STEPS] for roll in valid[:_SHOWN]])

    def show(model: keras.Model, board: Board, step: int) -> None:
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
