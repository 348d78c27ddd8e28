"""Writes a trained model for TF Serving.

    python -m export.saved_model WORKDIR --out DIR --name NAME

`DIR/NAME/VERSION` becomes a SavedModel with the signatures

    generate(length, seed, temperature) -> text, num_steps
    score(text) -> log_likelihood, bits_per_character, num_characters, num_unknown
    reconstruct(text, seed) -> text

of text; music has `roll_bytes` in place of `text`, and its `score` answers `log_likelihood`,
`nats_per_step` and `num_steps`. The `lstm` has no `reconstruct`. Beside the model stand
`models.config`, `batching.config` and `docker-compose.yml`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from export.versions import check_version, new_version
from train.errors import UserError, run_program
from train.extras import require_extra
from train.flags import parse_flags
from train.quiet import import_tensorflow_quietly
from train.saved_run import load_model, read_run

if TYPE_CHECKING:
    import keras

__all__ = ["ExportConfig", "export_model", "main"]

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_WARMUP_STEPS = 32
_MAX_REQUEST_BYTES = 2**20  # Of the warm-up's, which are small.


@dataclasses.dataclass(frozen=True)
class ExportConfig:
    """A trained model, as a SavedModel that TF Serving serves."""

    workdir: tyro.conf.Positional[Path]
    """Folder of a finished run."""
    out: Path
    """Folder of all models that a server serves."""
    name: str
    """Name of the model on the server, and of its folder in --out."""
    version: int | None = None
    """Version. None: the next free one."""
    max_length: int | None = None
    """Longest sequence that is drawn or read [characters, or time steps]. None: the longest that
    the model gives a probability, for text 288."""
    score_samples: int = 50
    """Importance samples of a likelihood."""
    xla: bool = False
    """Generation for servers that compile: --xla_cpu_compilation_enabled. Others cannot run it."""


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program; `args` are its flags, or None for those of the process.

    Raises:
      UserError: If the input is bad, or the graph is not fit for a server.
    """
    flags = parse_flags(ExportConfig, "python -m export.saved_model", args)
    if not _NAME.fullmatch(flags.name):
        raise UserError(f"--name expects letters, digits, _, - and . only; got {flags.name!r}")
    if flags.score_samples < 1:
        raise UserError(f"--score-samples expects a number above 0; got {flags.score_samples}")
    run = read_run(flags.workdir)
    longest = run.model["max_length"]
    max_length = longest if flags.max_length is None else flags.max_length
    if not 1 <= max_length <= longest:
        symbols = run.task.unit.symbols
        raise UserError(f"--max-length expects 1 to {longest} {symbols}; got {flags.max_length}")
    base = flags.out / flags.name
    version = check_version(base, flags.version)
    require_extra("serving")
    _hide_gpus()
    export_model(
        load_model(flags.workdir), base, version, max_length, flags.score_samples, flags.xla
    )
    from export.server_files import write_server_files

    kept = write_server_files(flags.out, flags.name, flags.xla)
    print(base / str(version))
    for path in kept:
        print(f"{path} was there and is kept; a new one would be another")


def export_model(
    model: keras.Model,
    base: Path,
    version: int,
    max_length: int,
    score_samples: int = 50,
    xla: bool = False,
) -> Path:
    """Writes `base/version` whole or not at all, and returns it.

    Args:
      model: A model of text, with its vocabulary, or of music.
      base: Folder of the model's versions; its name is that of the model.
      version: A free one.
      max_length: Longest sequence, in steps, at most the model's.
      score_samples: Importance samples of a likelihood.
      xla: Whether `generate` is for servers that compile.

    Raises:
      UserError: If what was written is not fit for a server.
    """
    import tensorflow as tf

    from export.graph_checks import check_graph
    from export.roll_codec import RollCodec
    from export.samplers import compiled_lengths
    from export.serving.servable import Servable
    from export.signatures import Endpoint
    from export.text_codec import TextCodec, write_vocabulary
    from export.warmup import play_warmup, requests_of, write_warmup

    config = model.config
    # Every length that is compiled.
    lengths = compiled_lengths(max_length) if xla else [min(_WARMUP_STEPS, max_length)]
    with tempfile.TemporaryDirectory() as assets, new_version(base, version) as folder:
        if config.emission == "categorical":
            vocabulary = Path(assets, "vocabulary.txt")
            write_vocabulary(vocabulary, config.vocabulary)
            codec = TextCodec(vocabulary, max_length)
            example = config.vocabulary[0].encode()
        else:
            codec = RollCodec(config.vocab_size, max_length)
            example = bytes(codec.step_bytes)
        endpoint = Endpoint(model, codec, max_length, score_samples, xla)
        signatures = endpoint.signatures()
        tf.saved_model.save(endpoint, str(folder), signatures)
        check_graph(folder, xla)
        requests = requests_of(base.name, list(signatures), codec.field, example, lengths)
        write_warmup(folder, list(requests))
        servable = Servable(base.name, version, folder)
        play_warmup(servable, _MAX_REQUEST_BYTES)
        servable.close()
    return base / str(version)


def _hide_gpus() -> None:
    """Traces as on a machine without a GPU, whatever machine this is."""
    import_tensorflow_quietly()
    import tensorflow as tf

    # Where this process has used a GPU already it is too late, and `check_graph` decides.
    with contextlib.suppress(RuntimeError):
        tf.config.set_visible_devices([], "GPU")


if __name__ == "__main__":
    run_program(main)
