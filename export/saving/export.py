"""Writes a model as a version of a SavedModel, and tries it as a server would."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from export.saving.byte_strings import FLOAT_BYTES
from export.saving.graph_checks import check_graph
from export.saving.roll_codec import RollCodec
from export.saving.samplers import compiled_lengths
from export.saving.signatures import Endpoint
from export.saving.text_codec import TextCodec, write_vocabulary
from export.saving.warmup import play_warmup, requests_of, write_warmup
from export.serving.servable import Servable
from export.versions import new_version

__all__ = ["export_model", "hide_gpus"]

_WARMUP_STEPS = 32
_MAX_REQUEST_BYTES = 2**20  # Of the warm-up's, which are small.


def hide_gpus() -> None:
    """Traces as on a machine without a GPU, whatever machine this is."""
    # Where this process has used a GPU already it is too late, and `check_graph` decides.
    with contextlib.suppress(RuntimeError):
        tf.config.set_visible_devices([], "GPU")


def export_model(
    model: keras.Model,
    base: Path,
    version: int,
    max_length: int,
    score_samples: int = 50,
    xla: bool = False,
    particles: int = 32,
    show: Callable[[str], None] = lambda what: None,
) -> Path:
    """Writes `base/version` whole or not at all, and returns it.

    Args:
      model: A model of text, with its vocabulary, or of music.
      base: Folder of the model's versions; its name is that of the model.
      version: A free one.
      max_length: Longest sequence, in steps, at most the model's.
      score_samples: Importance samples of a likelihood.
      xla: Whether `generate` is for servers that compile.
      particles: Proposals that `complete` picks from.
      show: Told what is done before it is begun.

    Raises:
      UserError: If what was written is not fit for a server.
    """
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
        endpoint = Endpoint(model, codec, max_length, score_samples, xla, particles)
        signatures = endpoint.signatures(show)
        show("writing the model")
        tf.saved_model.save(endpoint, str(folder), signatures)
        show("checking what was written")
        check_graph(folder, xla)
        noise = bytes(FLOAT_BYTES * config.latent_size) if config.is_flow else b""
        requests = requests_of(base.name, list(signatures), codec.field, example, lengths, noise)
        write_warmup(folder, list(requests))
        servable = Servable(base.name, version, folder)
        play_warmup(servable, _MAX_REQUEST_BYTES, lambda number: show(f"trying request {number}"))
        servable.close()
    return base / str(version)
