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
from train.support.ranges import refuse_flag

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

_SHOWN = 20  # Characters of a text in a message.


class Given(NamedTuple):
    """What all samples share.

    Attributes:
      inputs: Inputs of the signature.
      size: Length of the given text or piece.
      tempo: Quarter notes per minute of the given piece, or the default.
      name: Name of the given piece; None for a text, and without one.
    """

    inputs: dict[str, Any]
    size: int = 0
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
        return Given({TEXT: prompt, **wanted}, len(prompt))
    path = Path(prompt)
    piece = read_piece(path, steps_per_beat, "--prompt")
    return Given({ROLL: _packed(piece), **wanted}, len(piece.roll), piece.tempo_bpm, path.stem)


def refuse_prompt(client: RestClient, prompt: str, length: int | None, given: Given) -> NoReturn:
    """Says why a model has not continued a --prompt.

    Raises:
      UserError: Always.
    """
    longest = client.max_length
    most = None if longest is None else min(length or longest, longest) - 1
    if most is not None and given.size > most:
        shown, symbols = (_start(prompt), "characters") if given.name is None else (prompt, "steps")
        got = f"{shown} with {given.size}: shorten it"
        refuse_flag("prompt", f"at most {most} {symbols} here", got)
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


def why_no_numbers(client: RestClient, given: str, row: dict[str, Any]) -> str:
    """Says why the score of a text, or of the piece at a path, has no numbers.

    Args:
      client: The model.
      given: The text or the path.
      row: The score.
    """
    shown = given if "num_steps" in row else _start(given)
    symbols = "steps" if "num_steps" in row else "characters"
    count = row.get(f"num_{symbols}")
    if count == 0:
        why = ": it is empty"
    elif count is None:
        why = ": empty or longer than any sequence of the model"
    elif client.max_length is None:
        why = ": longer than any sequence of the model"
    elif count > client.max_length:
        why = f": {count} {symbols}, at most {client.max_length}"
    else:
        why = ""
    return f"{shown} has no numbers{why}"


def _inputs(client: RestClient, name: str) -> dict[str, str]:
    """Returns the inputs of a signature, which the model must have."""
    signature = client.signatures().get(name)
    if signature is None:
        raise UserError(
            f"{client.url} has no signature {name!r}: its model cannot do that, or another version "
            "exported it"
        )
    return signature.inputs


def _packed(piece: MidiPiece) -> dict[str, str]:
    """Returns a piece in the form of a request."""
    return {"b64": base64.b64encode(pack_roll(piece.roll)).decode("ascii")}


def _start(text: str) -> str:
    """Returns the beginning of a text, for a message."""
    return repr(text[:_SHOWN])
