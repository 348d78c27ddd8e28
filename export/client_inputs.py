"""What `export.client` sends of texts and pieces, and why a model has no answer to one."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from export.rest_client import RestClient
from train.data.music.midi import DEFAULT_TEMPO_BPM, MidiPiece
from train.data.music.rolls import pack_roll
from train.samples.piece_files import read_piece
from train.support.errors import UserError

__all__ = [
    "ROLL",
    "TEXT",
    "Given",
    "read_prompt",
    "refuse_prompt",
    "rows_to_score",
    "why_no_numbers",
]

ROLL = "roll_bytes"
TEXT = "text"


class Given(NamedTuple):
    """What all samples share.

    Attributes:
      inputs: Inputs of the signature.
      tempo: Quarter notes per minute of the given piece, or the default.
      name: Name of the given piece; None for a text, and without one.
    """

    inputs: dict[str, Any]
    tempo: float = DEFAULT_TEMPO_BPM
    name: str | None = None


def read_prompt(client: RestClient, prompt: str, length: int | None, steps_per_beat: int) -> Given:
    """Reads a --prompt: a text, or a MIDI file if the model is one of music.

    Args:
      client: The model.
      prompt: The text, or the path of the file.
      length: Length of the samples; None to let the model draw it.
      steps_per_beat: Time steps per quarter note.

    Raises:
      UserError: The model cannot continue anything, or the file cannot be read.
    """
    wanted = {"length": length or 0}
    if ROLL not in _inputs(client, "complete"):
        return Given({TEXT: prompt, **wanted})
    path = Path(prompt)
    piece = read_piece(path, steps_per_beat, "--prompt")
    return Given({ROLL: _packed(piece), **wanted}, piece.tempo_bpm, path.stem)


def refuse_prompt(length: int | None) -> NoReturn:
    """Says why a model has not continued a --prompt.

    Raises:
      UserError: Always.
    """
    raise UserError(
        "the model has no answer: expected a --prompt that is not empty, and shorter than --length "
        "and the longest sequence of the model"
        + ("" if length is None else f"; got --length {length}")
    )


def rows_to_score(
    client: RestClient, inputs: Sequence[str], steps_per_beat: int
) -> list[dict[str, Any]]:
    """Returns texts, or the MIDI files at these paths, as rows of `score`.

    Raises:
      UserError: The model scores nothing, or a file cannot be read.
    """
    if ROLL not in _inputs(client, "score"):
        return [{TEXT: text} for text in inputs]
    pieces = [read_piece(Path(path), steps_per_beat, "score") for path in inputs]
    return [{ROLL: _packed(piece)} for piece in pieces]


def why_no_numbers(given: str) -> str:
    """Says why the score of a text, or of the piece at a path, has no numbers."""
    return f"{given!r} is empty or longer than any sequence of the model: it has no numbers"


def _inputs(client: RestClient, name: str) -> dict[str, Any]:
    """The inputs of a signature.

    Raises:
      UserError: The model has no such signature.
    """
    signature = client.signatures().get(name)
    if signature is None:
        raise UserError(
            f"{client.url} has no signature {name!r}: its model cannot do that, or another version "
            "exported it"
        )
    return signature["inputs"]


def _packed(piece: MidiPiece) -> dict[str, str]:
    """Returns a piece in the form of a request."""
    return {"b64": base64.b64encode(pack_roll(piece.roll)).decode("ascii")}
