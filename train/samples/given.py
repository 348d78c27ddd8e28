"""The sequences that samples are made from; needs no TensorFlow."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tf_latentflow import ModelConfig, Vocabulary
from tf_latentflow.vocabulary import UNKNOWN_ID
from train.data.music.config import MusicConfig
from train.samples.flags import SampleConfig
from train.samples.piece_files import read_piece
from train.samples.ways import way_of
from train.settings.config import TrainConfig
from train.support.errors import UserError
from train.support.ranges import flag_of, refuse_flag
from train.support.units import counted

__all__ = ["Given", "read_given"]


class Given(NamedTuple):
    """Sequences given by the user.

    Attributes:
      sequences: Ids int32 `[T]` or rolls uint8 `[T, 88]`; none for new samples.
      mask: Which parts of the first sequence are kept, bool of its shape; None for all.
      tempo: Quarter notes per minute of the first piece, or None.
      name: Name for files, after the pieces; None without one.
    """

    sequences: tuple[np.ndarray, ...] = ()
    mask: np.ndarray | None = None
    tempo: float | None = None
    name: str | None = None


def read_given(flags: SampleConfig, model: ModelConfig, config: TrainConfig) -> Given:
    """Reads the sequences that samples are made from, with the flags of `resolved`.

    Prints a note to standard error if the model does not know all of their characters.

    Raises:
      UserError: A sequence cannot be read or is too long; the error names the flag.
    """
    field = way_of(flags).field
    if not field:
        return Given()
    value = getattr(flags, field)
    values = value if field == "interpolate" else (value,)
    continued = field in ("prompt", "continue_")
    most = (flags.length or model.max_length) - 1 if continued else model.max_length
    if model.is_text:
        return _read_texts(flags, field, [str(text) for text in values], model, most)
    if "" in values:
        raise UserError(f"{flag_of(field)} expects a MIDI file; got ''")
    return _read_pieces(flags, field, [Path(path) for path in values], config, most)


def _read_texts(
    flags: SampleConfig, field: str, texts: list[str], model: ModelConfig, most: int
) -> Given:
    vocabulary = Vocabulary(model.vocabulary)
    mask = None
    if field == "fill":
        mask = np.array([c != flags.blank for c in texts[0]], bool)
        if mask.all():
            expected = f"a text with at least one {flags.blank!r} to fill in"
            refuse_flag(field, expected, repr(texts[0]))
    for text in texts:
        if not text:
            raise UserError(f"{flag_of(field)} expects a text of at least one character; got ''")
        _check_length(flags, field, f"{text[:20]!r}", len(text), most, "characters")
    encoded = tuple(vocabulary.encode(text) for text in texts)
    kept = [encoded[0][mask], *encoded[1:]] if mask is not None else encoded
    unknown = sum(int(np.sum(ids == UNKNOWN_ID)) for ids in kept)
    if unknown:
        print(
            f"note: {counted(unknown, 'character')} of {flag_of(field)} not in the model's "
            "vocabulary, read as the unknown symbol",
            file=sys.stderr,
        )
    return Given(encoded, mask)


def _read_pieces(
    flags: SampleConfig, field: str, paths: list[Path], config: MusicConfig, most: int
) -> Given:
    pieces = []
    for path in paths:
        piece = read_piece(path, config.steps_per_beat, flag_of(field))
        _check_length(flags, field, str(path), len(piece.roll), most, "steps")
        pieces.append(piece)
    rolls = tuple(piece.roll for piece in pieces)
    mask = _highest_voice(rolls[0]) if field == "harmonise" else None
    return Given(rolls, mask, pieces[0].tempo_bpm, "-".join(p.stem for p in paths))


def _check_length(
    flags: SampleConfig, field: str, name: str, length: int, most: int, symbols: str
) -> None:
    if length > most:
        limit, cure = "for this model", "shorten it"
        if flags.length is not None:
            limit, cure = f"with --length {flags.length}", "shorten it, or raise --length"
        raise UserError(
            f"{flag_of(field)} expects at most {most} {symbols} {limit}; got {name} with {length}: "
            f"{cure}"
        )


def _highest_voice(roll: np.ndarray) -> np.ndarray:
    """What `--harmonise` keeps of a roll `[T, 88]`: the highest note and the silence above it.

    Nothing is kept of a step without notes.
    """
    notes = np.arange(roll.shape[1])
    highest = np.max(np.where(roll > 0, notes, -1), axis=1, keepdims=True)
    return (highest >= 0) & (notes >= highest)
