"""Exports pretrained models once, and keeps the exports in the user's cache."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

import bijectors
import export.saving
import tf_latentflow
from export.saving.export import export_model, hide_gpus
from export.saving.options import ExportOptions
from export.versions import version_folders
from tf_latentflow.pretrained.download import cache_dir
from tf_latentflow.pretrained.folder import Pretrained
from train.runs.saved_model import load_model
from train.support.digests import sha256_of, sha256_of_code
from train.support.lock import one_at_a_time

__all__ = ["cached_export"]

_CODE = (bijectors, tf_latentflow, export.saving)  # The code on which an export depends.


def cached_export(found: Pretrained, show: Callable[[str], None]) -> Path:
    """Returns the folder with the versions of a pretrained model's export; exports it if necessary.

    The folder is `~/.cache/tf_latentflow/served/DIGEST/NAME`. The digest depends on the weights,
    this code and the version of TensorFlow.

    Args:
      found: The pretrained model.
      show: Called with a line if the model is exported, which takes time.

    Raises:
      UserError: The model is damaged, or cannot be exported.
    """
    base = cache_dir() / "served" / _digest(found)[:16] / found.folder.resolve().name
    if not version_folders(base):
        with one_at_a_time(
            base, lambda: show("another process exports this model: waiting for it")
        ):
            if not version_folders(base):  # The other process may have failed.
                show("exporting this model for the first time, which takes a minute or two")
                hide_gpus()
                options = ExportOptions(found.model.max_length)
                export_model(load_model(found), base, 1, options, show)
    return base


def _digest(found: Pretrained) -> str:
    told = f"{found.weights_sha256} {found.model.to_dict()} {tf.__version__}"
    return sha256_of([told.encode(), sha256_of_code(*_CODE).encode()])
