"""Scores a text line by line: `python -m train.score WORKDIR my_text.txt > scores.tsv`.

    python -m train.score WORKDIR my_text.txt --format jsonl --per-character
    zcat large.txt.gz | python -m train.score WORKDIR | head

The text may have any size. Every line gives a line, in order:

- `line` and `characters`, and how many of these are `unknown` to the model;
- `bits`, -(log p(x|T) + log p(T)) / log 2, and `bits_per_character`, that over `characters` + 1.
  They are nan, or null, for lines that are blank or longer than the model knows;
- with --per-character `length_bits`, -log p(T) / log 2, and `character_bits`, a number for each
  character: what it adds to the bound, so that all together are at least `bits`, or to log p(x|T)
  itself where that is exact, in the baseline.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import math
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

import tyro

from train.data.text.line_stream import Line, stream_lines
from train.runs.saved_run import read_run
from train.settings.source import ModelSource
from train.support.errors import UserError, run_program
from train.support.flags import parse_flags
from train.support.screen import Screen
from train.support.startup import import_tensorflow_quietly

__all__ = ["ScoreConfig", "main"]

_STANDARD_INPUT = Path("-")


@dataclasses.dataclass(frozen=True)
class ScoreConfig:
    """Bits of every line of a text, under a trained model of text."""

    model: tyro.conf.Positional[ModelSource]
    file: tyro.conf.Positional[Path] = _STANDARD_INPUT
    """A text in UTF-8, also compressed by gzip; - for standard input."""
    format: Literal["tsv", "jsonl"] = "tsv"
    """A table with a head, or JSON, an object a line."""
    per_character: bool = False
    """Also the bits of each character."""
    samples: int = 50
    """Importance samples [samples of each line]. The baseline needs none."""
    seed: int = 0
    """Seed of the samples. A line's numbers depend on it, on the line and on its number."""
    batch_size: int = 32
    """Lines that go through the model at once [lines]."""

    def check(self) -> None:
        """Refuses what no model can do.

        Raises:
          UserError: Naming the flag.
        """
        for flag, value in (("samples", self.samples), ("batch-size", self.batch_size)):
            if value < 1:
                raise UserError(f"--{flag} expects a number above 0; got {value}")
        if not 0 <= self.seed < 2**31:
            raise UserError(f"--seed expects a whole number from 0 to 2147483647; got {self.seed}")


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program; `args` are its flags, or None for those of the process.

    Raises:
      UserError: If the input is bad.
    """
    config = parse_flags(ScoreConfig, "python -m train.score", args)
    config.check()
    run = read_run(config.model)
    if run.model_config.emission != "categorical":
        raise UserError(
            f"expected a model of text in {config.model}; it is one of music: "
            "python -m train.evaluate --dataset FILE.mid scores pieces"
        )
    with _open(config.file) as stream, Screen() as screen:
        screen.now("loading TensorFlow")
        import_tensorflow_quietly()
        from train.runs.scoring import Scorer

        screen.now("reading the model")
        scorer = Scorer(run, config.samples, config.seed, config.batch_size, config.per_character)
        lines = _readable(stream_lines(stream, run.model_config.max_length), config.file)
        for text in _table(scorer.score(lines, screen), config):
            screen.line(text) if screen.moves else print(text)
    if remark := scorer.remark():
        print(f"note: {remark}", file=sys.stderr)


def _open(path: Path) -> BinaryIO:
    """Opens a file, or standard input, to be read once.

    Raises:
      OSError: If there is no such file.
    """
    if path == _STANDARD_INPUT:
        return sys.stdin.buffer
    return open(path, "rb")


def _readable(lines: Iterator[Line], path: Path) -> Iterator[Line]:
    """The lines, and one message where they cannot be read.

    Raises:
      UserError: If the text is compressed and damaged.
    """
    try:
        yield from lines
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UserError(
            f"expected text in {str(path)!r}; it starts like a gzip file, and is damaged "
            f"({error}); get it again"
        ) from None


def _table(scores: Iterable[NamedTuple], config: ScoreConfig) -> Iterator[str]:
    """The lines that are printed."""
    names: list[str] = []
    for score in scores:
        row = score._asdict()
        if not config.per_character:
            del row["length_bits"], row["character_bits"]
        if config.format == "jsonl":
            yield json.dumps({name: _or_null(value) for name, value in row.items()})
            continue
        if not names:
            names = list(row)
            yield "\t".join(names)
        yield "\t".join(_cell(value) for value in row.values())


def _or_null(value: Any) -> Any:
    """A number as JSON has it: nan as null, others with six digits."""
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
