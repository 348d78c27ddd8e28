"""Exports a trained model for TF Serving.

    python -m export.saved_model MODEL --out DIR --name NAME

`DIR/NAME/VERSION` becomes a SavedModel with the signatures

    generate(length, seed, temperature) -> text, num_steps
    complete(text, length, seed, temperature) -> text, num_steps
    score(text) -> log_likelihood, bits_per_character, num_characters, num_unknown
    score_steps(text) -> bits_bytes, length_bits
    describe(row) -> max_length, noise_size, characters
    reconstruct(text, seed) -> text
    encode(text) -> noise_bytes, num_steps
    decode(noise_bytes) -> text, num_steps

These are for text. For music, `roll_bytes` replaces `text`, and scores are in nats; docs/SERVING.md
describes the names. `lstm` has none of the last three. `models.config`, `batching.config`,
`docker-compose.yml` and `NAME.html`, a page for a browser, are written to DIR.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from export.saving.options import ExportOptions
from export.versions import check_version
from train.runs.saved_run import read_run
from train.settings.source import ModelSource
from train.support.errors import UserError, run_program
from train.support.extras import require_extra
from train.support.flags import parse_flags
from train.support.ranges import POSITIVE
from train.support.screen import Screen
from train.support.startup import import_tensorflow_quietly

__all__ = ["ExportConfig", "main"]

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")

# Endings of the files that `export.saving.server_files` writes next to the models.
_OF_FILES = (".config", ".html", ".yml")


@dataclasses.dataclass(frozen=True)
class ExportConfig:
    """Exports a trained model as a SavedModel for TF Serving."""

    model: tyro.conf.Positional[ModelSource]
    out: Path
    """Folder to write to. One server can serve all models in it."""
    name: str
    """Name of the model on the server and of its folder in --out."""
    version: int | None = None
    """Version. None: the next free one."""
    max_length: int | None = None
    """Longest sequence to draw or read [characters or time steps]. None: the maximum of the model,
    288 for text."""
    score_samples: Annotated[int, POSITIVE] = ExportOptions.score_samples
    """Importance samples per likelihood."""
    particles: Annotated[int, POSITIVE] = ExportOptions.particles
    """Number of proposals for a continuation."""
    xla: bool = ExportOptions.xla
    """Compile generation, for servers with --xla_cpu_compilation_enabled; others cannot run it."""


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program.

    Args:
      args: Its flags; None for those of the process.

    Raises:
      UserError: The input is invalid, or a server could not run the graph.
    """
    flags = parse_flags(ExportConfig, "python -m export.saved_model", args)
    if not _NAME.fullmatch(flags.name):
        raise UserError(f"--name expects letters, digits, _, - and . only; got {flags.name!r}")
    if flags.name.endswith(_OF_FILES):
        raise UserError(
            f"--name expects no ending of the files next to the model ({', '.join(_OF_FILES)}); "
            f"got {flags.name!r}"
        )
    run = read_run(flags.model)
    longest = run.model_config.max_length
    max_length = longest if flags.max_length is None else flags.max_length
    if not 1 <= max_length <= longest:
        symbols = run.config.unit.symbols
        raise UserError(f"--max-length expects 1 to {longest} {symbols}; got {flags.max_length}")
    base = flags.out / flags.name
    version = check_version(base, flags.version)
    require_extra("serving")
    options = ExportOptions(max_length, flags.score_samples, flags.particles, flags.xla)
    with Screen() as screen:
        screen.now("loading TensorFlow")
        import_tensorflow_quietly()
        from export.saving.export import export_model, hide_gpus
        from export.saving.server_files import write_server_files
        from train.runs.saved_model import load_model

        hide_gpus()
        screen.now("reading the model")
        export_model(load_model(run.source), base, version, options, screen.now)
    kept = write_server_files(flags.out, flags.name, flags.xla)
    print(base / str(version))
    for path in kept:
        print(f"{path} was not overwritten, although it differs from what would be written now")


if __name__ == "__main__":
    run_program(main)
