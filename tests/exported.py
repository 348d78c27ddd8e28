"""Tiny models with random weights as SavedModels, and a caller of their signatures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from export.saving.export import export_model
from export.saving.options import ExportOptions
from tests.models import make_model

__all__ = ["CHARACTERS", "MAX_LENGTH", "Served", "export_tiny", "requests"]

# Of one to four bytes, a line feed and a tab among them: a file of lines must not mind.
CHARACTERS = ("\t", "\n", "a", "é", "語", "😀")
MAX_LENGTH = 12


def export_tiny(base: Path, name: str, xla: bool = False, **overrides) -> Path:
    """Writes version 1 of a row into `base`: of text, unless `overrides` say otherwise."""
    if "emission" not in overrides:
        overrides = {"vocabulary": CHARACTERS, "vocab_size": len(CHARACTERS) + 2, **overrides}
    model = make_model(name, spread=0.3, max_length=MAX_LENGTH, **overrides)
    return export_model(model, base, 1, ExportOptions(MAX_LENGTH, score_samples=4, xla=xla))


class Served:
    """A SavedModel in a session, as a server has it, but for the graph's optimisation."""

    def __init__(self, folder: Path) -> None:
        self.graph = tf.Graph()
        with self.graph.as_default():
            config = tf.compat.v1.ConfigProto()
            config.graph_options.rewrite_options.disable_meta_optimizer = True  # It takes seconds.
            self.session = tf.compat.v1.Session(config=config)
            loaded = tf.compat.v1.saved_model.load(self.session, ["serve"], str(folder))
        self.signatures = dict(loaded.signature_def)

    def __call__(self, signature: str, **inputs) -> dict[str, np.ndarray]:
        definition = self.signatures[signature]
        feed = {
            definition.inputs[key].name: np.asarray(
                value, tf.as_dtype(definition.inputs[key].dtype).as_numpy_dtype
            )
            for key, value in inputs.items()
        }
        names = {key: info.name for key, info in definition.outputs.items()}
        return self.session.run(names, feed)


def requests(num: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Requests to `generate` of mixed lengths, impossible ones among them."""
    rng = np.random.default_rng(seed)
    return {
        "length": rng.integers(-1, MAX_LENGTH + 3, num).astype(np.int32),
        "seed": rng.integers(-(2**63), 2**63 - 1, num),
        "temperature": rng.choice([0.0, 0.5, 1.0, 1.5, -1.0, np.nan, np.inf], num),
    }
