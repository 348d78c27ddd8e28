"""Scores a text line by line: `python -m train.score WORKDIR my_text.txt > scores.tsv`.

    python -m train.score WORKDIR my_text.txt --format jsonl --per-character
    zcat large.txt.gz | python -m train.score WORKDIR | head

The text may have any size. Each line of it gives one line of output, in order:

- `line`, `characters`, and `unknown`: how many characters the model does not know;
- `bits`, -(log p(x|T) + log p(T)) / log 2, and `bits_per_character`, which is `bits` divided by
  `characters` + 1. Both are nan (null in JSON) for blank lines and lines that are too long;
- with --per-character also `length_bits`, -log p(T) / log 2, and `character_bits`, one number per
  character: its contribution to the bound. On average they add up to at least `bits`. For the
  baseline, which is exact, they add up to `bits`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import json
import math
import sys
import zlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, NamedTuple

import tyro

from train.data.text.line_stream import Line, stream_lines
from train.runs.saved_run import read_run
from train.settings.source import ModelSource
from train.support.errors import UserError, run_program
from train.support.flags import parse_flags
from train.support.ranges import POSITIVE, SEED
from train.support.screen import Screen
from train.support.startup import import_tensorflow_quietly

__all__ = ["ScoreConfig", "main"]

_STANDARD_INPUT = Path("-")
# Of `train.runs.scoring.Score`.
_COLUMNS = ("line", "characters", "unknown", "bits", "bits_per_character")
_PER_CHARACTER = ("length_bits", "character_bits")


@dataclasses.dataclass(frozen=True)
class ScoreConfig:
    """Bits of every line of a text under a trained model."""

    model: tyro.conf.Positional[ModelSource]
    file: tyro.conf.Positional[Path] = _STANDARD_INPUT
    """Text in UTF-8, may be gzipped; - for standard input."""
    format: Literal["tsv", "jsonl"] = "tsv"
    """A table with a header, or one JSON object per line."""
    per_character: bool = False
    """Add the bits of each character."""
    samples: Annotated[int, POSITIVE] = 50
    """Importance samples per line [samples]. The baseline needs none."""
    seed: Annotated[int, SEED] = 0
    """Seed of the samples. The numbers of a line depend on it, the line and the line number."""
    batch_size: Annotated[int, POSITIVE] = 32
    """Batch size [lines]."""


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program.

    Args:
      args: Its flags; None for those of the process.

    Raises:
      UserError: The input is invalid.
    """
    config = parse_flags(ScoreConfig, "python -m train.score", args)
    run = read_run(config.model)
    if not run.model_config.is_text:
        raise UserError(
            f"expected a model of text in {config.model}; it is one of music: "
            "use python -m train.evaluate MODEL --dataset FILE.mid"
        )
    longest = run.model_config.max_length
    with (
        _open(config.file) as stream,
        # Closed before the stream, even if the output is not read to its end (`... | head`).
        contextlib.closing(_readable(stream_lines(stream, longest), config.file)) as lines,
        Screen() as screen,
    ):
        screen.now("loading TensorFlow")
        import_tensorflow_quietly()
        from train.runs.scoring import Scorer

        screen.now("reading the model")
        scorer = Scorer(run, config.samples, config.seed, config.batch_size, config.per_character)
        for text in _table(scorer.score(lines, screen), config):
            screen.line(text) if screen.moves else print(text)
    if remark := scorer.remark():
        print(f"note: {remark}", file=sys.stderr)


def _open(path: Path) -> BinaryIO:
    """Opens a file, or standard input, for reading once.

    Raises:
      OSError: There is no such file.
      UserError: Standard input is closed.
    """
    if path == _STANDARD_INPUT:
        if sys.stdin is None:
            raise UserError("expected text on standard input; it is closed")
        if sys.stdin.isatty():
            print("reading lines from the terminal: Ctrl-D ends the text", file=sys.stderr)
        return sys.stdin.buffer
    return open(path, "rb")


def _readable(lines: Iterator[Line], path: Path) -> Generator[Line]:
    """Yields the lines; a damaged file becomes one message.

    Raises:
      UserError: The text is compressed and damaged.
    """
    try:
        yield from lines
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UserError(
            f"expected text in {str(path)!r}; it looks like a gzip file but is damaged "
            f"({error}); get it again"
        ) from None


def _table(scores: Iterable[NamedTuple], config: ScoreConfig) -> Iterator[str]:
    """Yields the lines of the output."""
    names = _COLUMNS + _PER_CHARACTER if config.per_character else _COLUMNS
    if config.format == "tsv":
        yield "\t".join(names)
    for score in scores:
        row = {name: getattr(score, name) for name in names}
        if config.format == "jsonl":
            yield json.dumps({name: _or_null(value) for name, value in row.items()})
        else:
            yield "\t".join(_cell(value) for value in row.values())


def _or_null(value: Any) -> Any:
    """A number for JSON: nan becomes null, others get six digits."""
    if isinstance(value, list):
        return [_or_null(item) for item in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 6)
    return value


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(_cell(item) for item in value)
    return f"{value:.4f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    run_program(main)
