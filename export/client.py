"""Sends requests to a model server: `python -m export.client generate --url URL -n 4 --length 80`.

    python -m export.client generate --url http://127.0.0.1:8501/v1/models/NAME
    python -m export.client generate --prompt "The " --url http://127.0.0.1:8501/v1/models/NAME
    python -m export.client score "A sentence." --url http://127.0.0.1:8501/v1/models/NAME
    python -m export.client status --url http://127.0.0.1:8501/v1/models/NAME

The server is TF Serving or `python -m export.serve`. This program needs neither of them installed.
"""

from __future__ import annotations

import base64
import inspect
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from export.client_flags import GenerateConfig, ScoreConfig, StatusConfig
from export.client_inputs import (
    ROLL,
    TEXT,
    Given,
    read_prompt,
    refuse_prompt,
    rows_to_score,
    why_no_numbers,
)
from export.rest_client import RestClient
from train.data.music.midi import midi_bytes
from train.data.music.rolls import unpack_roll
from train.samples.piece_files import check_folder, piece_names, unused_paths
from train.support.errors import UserError, run_program
from train.support.files import write_bytes
from train.support.flags import parse_flags

__all__ = ["COMMANDS", "main"]

_DEFAULT_LENGTH = 100
_DEFAULT_FOLDER = Path("samples")
_SHOWN = 60  # Characters of a wrong answer in a message.


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program.

    Args:
      args: Its flags; None for those of the process.

    Raises:
      UserError: The input is invalid, or the server rejects it.
    """
    args = list(sys.argv[1:] if args is None else args)
    if not args or args[0] not in COMMANDS:
        commands = "|".join(COMMANDS)
        usage = f"python -m export.client {commands} --url URL; COMMAND --help shows its flags"
        if args[:1] in (["-h"], ["--help"]):
            print(f"usage: {usage}\n")
            for name, (kind, _) in COMMANDS.items():
                print(f"  {name:<10}{inspect.cleandoc(kind.__doc__ or '')}")
            return
        got = repr(args[0]) if args else "none"
        raise UserError(f"expected a command, {commands}; got {got}; usage: {usage}")
    kind, command = COMMANDS[args[0]]
    command(parse_flags(kind, f"python -m export.client {args[0]}", args[1:]))


def _generate(config: GenerateConfig) -> None:
    """Prints or writes samples."""
    last = 2**63 - config.num  # A row's seed is an int64.
    if not 0 <= config.seed <= last:
        raise UserError(f"--seed expects a whole number from 0 to {last}; got {config.seed}")
    if config.out is not None:
        check_folder(config.out)
    client = RestClient(config.url)
    signature, given = "generate", Given({"length": config.length or _DEFAULT_LENGTH})
    if config.prompt is not None:
        signature = "complete"
        given = read_prompt(client, config.prompt, config.length, config.steps_per_beat)
    rows = client.predict(
        signature,
        [
            {**given.inputs, "seed": config.seed + i, "temperature": config.temperature}
            for i in range(config.num)
        ],
    )
    names = piece_names(given.name, "continue", config.seed, config.num)
    for i, row in enumerate(rows):
        if signature == "complete" and isinstance(row, dict) and row.get("num_steps") == 0:
            refuse_prompt(client, config.prompt, config.length, given)
        if isinstance(row, dict) and isinstance(row.get(TEXT), str):
            print(_with_remarks(row[TEXT], config, is_first=i == 0))
        elif isinstance(row, dict) and ROLL in row:
            print(_write_piece(config, names[i], given.tempo, row[ROLL]))
        else:
            got = str(row)[:_SHOWN]
            raise UserError(f"expected {TEXT!r} or {ROLL!r} from {config.url}; got {got}")


def _with_remarks(text: str, config: GenerateConfig, is_first: bool) -> str:
    """Returns a sample to print; remarks on the first one go to standard error."""
    prompt = config.prompt or ""
    if is_first and not text.startswith(prompt):
        _note("the model does not know all characters of --prompt, and reads them as unknown")
    if is_first and len(text) < (config.length or 0):
        _note(f"--length {config.length} is beyond the model's longest sequence")
    return prompt + text[len(prompt) :]


def _score(config: ScoreConfig) -> None:
    """Prints numbers."""
    if not config.inputs:
        raise UserError("score expects a sentence, or a MIDI file, to score; got none")
    client = RestClient(config.url)
    instances = rows_to_score(client, config.inputs, config.steps_per_beat)
    for text, row in zip(config.inputs, client.predict("score", instances), strict=True):
        if not isinstance(row, dict):  # A signature of one output, and no model of ours.
            row = {"score": row}
        if any(value != value for value in row.values()):
            _note(why_no_numbers(client, text, row))
        if config.json:
            known = {name: None if value != value else value for name, value in row.items()}
            print(json.dumps({"input": text, **known}, ensure_ascii=False))  # JSON has no NaN.
        else:
            numbers = (f"{name} {_number(value)}" for name, value in sorted(row.items()))
            print("  ".join([*numbers, text]))


def _status(config: StatusConfig) -> None:
    """Prints versions and signatures."""
    client = RestClient(config.url)
    for version in client.status():
        print(f"version {version.number}: {version.state} {version.message}".rstrip())
    for name, signature in sorted(client.signatures().items()):
        if not name.startswith("__"):
            print(f"{name}({_fields(signature.inputs)}) -> {_fields(signature.outputs)}")


COMMANDS: dict[str, tuple[type, Callable[[Any], None]]] = {
    "generate": (GenerateConfig, _generate),
    "score": (ScoreConfig, _score),
    "status": (StatusConfig, _status),
}


def _write_piece(config: GenerateConfig, name: str, tempo: float, packed: Any) -> Path:
    """Writes a MIDI file; its tempo is that of the flags if they have one."""
    try:
        roll = unpack_roll(base64.b64decode(packed["b64"], validate=True))
    except (KeyError, TypeError, ValueError):
        got = str(packed)[:_SHOWN]
        raise UserError(f"expected a packed piano roll from {config.url}; got {got}") from None
    folder = config.out or _DEFAULT_FOLDER
    check_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    content = midi_bytes(roll, config.steps_per_beat, config.tempo or tempo)
    (path,) = unused_paths(folder, [name], [content])
    write_bytes(path, content)
    return path


def _note(text: str) -> None:
    print(f"note: {text}", file=sys.stderr)


def _fields(types: dict[str, str]) -> str:
    names = (f"{name} {dtype.removeprefix('DT_').lower()}" for name, dtype in types.items())
    return ", ".join(sorted(names))


def _number(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    run_program(main)
