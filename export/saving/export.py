"""Writes a model as a version of a SavedModel, and tests it as a server would."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from export.saving.byte_strings import FLOAT_BYTES
from export.saving.graph_checks import check_graph
from export.saving.noise_signatures import NOISE
from export.saving.options import ExportOptions
from export.saving.roll_codec import RollCodec
from export.saving.samplers import compiled_lengths
from export.saving.signatures import Endpoint
from export.saving.text_codec import TextCodec, write_vocabulary
from export.saving.warmup import play_warmup, requests_of, write_warmup
from export.serving.servable import Servable
from export.versions import new_version

__all__ = ["export_model", "hide_gpus"]

_WARMUP_STEPS = 32
_MAX_REQUEST_BYTES = 2**20  # Maximum size of a warm-up request; all of them are small.


def hide_gpus() -> None:
    """Makes functions be traced as on a machine without a GPU."""
    # If this process has already used a GPU, this has no effect, and `check_graph` decides.
    with contextlib.suppress(RuntimeError):
        tf.config.set_visible_devices([], "GPU")


def export_model(
    model: keras.Model,
    base: Path,
    version: int,
    options: ExportOptions,
    show: Callable[[str], None] = lambda what: None,
) -> Path:
    """Writes `base/version` completely or not at all, and returns its path.

    Args:
      model: A model of text, with its vocabulary, or of music.
      base: Folder of the model's versions; its name is that of the model.
      version: Number of a version that does not exist yet.
      options: Settings of the export.
      show: Called with each stage before it begins.

    Raises:
      UserError: A server could not use the SavedModel.
    """
    config, max_length = model.config, options.max_length
    # All lengths that are compiled.
    lengths = compiled_lengths(max_length) if options.xla else [min(_WARMUP_STEPS, max_length)]
    with tempfile.TemporaryDirectory() as assets, new_version(base, version) as folder:
        if config.is_text:
            vocabulary = Path(assets, "vocabulary.txt")
            write_vocabulary(vocabulary, config.vocabulary)
            codec = TextCodec(vocabulary, max_length)
            example = config.vocabulary[0].encode()
        else:
            codec = RollCodec(config.vocab_size, max_length)
            example = bytes(codec.step_bytes)
        endpoint = Endpoint(model, codec, options)
        signatures = endpoint.signatures(show)
        show("writing the model")
        # Nobody trains what is served.
        untrained = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        tf.saved_model.save(endpoint, str(folder), signatures, untrained)
        show("checking the model")
        check_graph(folder, options.xla)
        strings = {codec.field: example, NOISE: bytes(FLOAT_BYTES * config.latent_size)}
        write_warmup(folder, list(requests_of(base.name, signatures, strings, lengths)))
        servable = Servable(base.name, version, folder, optimise=False)
        play_warmup(servable, _MAX_REQUEST_BYTES, lambda request: show(f"trying {request}"))
        servable.close()
    return base / str(version)
