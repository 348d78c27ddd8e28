"""Exports of pretrained models, made once and kept in the cache of the user."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

import bijectors
import export.saving
import tf_latentflow
from export.saving.export import export_model, hide_gpus
from export.versions import version_folders
from tf_latentflow.pretrained.download import cache_dir
from tf_latentflow.pretrained.folder import Pretrained
from train.runs.saved_model import load_model
from train.support.digests import sha256_of

__all__ = ["cached_export"]

_CODE = (bijectors, tf_latentflow, export.saving)  # What an export is made by.


def cached_export(found: Pretrained, show: Callable[[str], None]) -> Path:
    """Returns the folder with the versions of a pretrained model's export, which may be made now.

    Another version of the weights, of this code or of TensorFlow has another folder:
    `~/.cache/tf_latentflow/served/DIGEST/NAME`.

    Args:
      found: The pretrained model.
      show: Told what is done, if it takes time.

    Raises:
      UserError: If the model is damaged, or cannot be exported.
    """
    base = cache_dir() / "served" / _digest(found)[:16] / found.folder.resolve().name
    if not version_folders(base):
        show("this model is exported now, once; it takes a minute or two")
        hide_gpus()
        export_model(load_model(found), base, 1, found.model.max_length, show=show)
    return base


def _digest(found: Pretrained) -> str:
    folders = [Path(place) for package in _CODE for place in package.__path__]
    files = [file for folder in folders for file in sorted(folder.rglob("*.py"))]
    told = f"{found.weights_sha256} {found.model.to_dict()} {tf.__version__}"
    return sha256_of(told.encode(), (file.read_bytes() for file in files))
