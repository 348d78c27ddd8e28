"""Layers whose lists of layers and variables are saved by `tf.train.Checkpoint`."""

from __future__ import annotations

from typing import Any

import keras

__all__ = ["SavesLists"]


class SavesLists:
    """Mixin for a Keras layer. `tf.train.Checkpoint` saves what is in its lists, too.

    Keras 3 tells TensorFlow of a layer's attributes, but not of lists of layers and variables: a
    checkpoint of a layer would lack them, without a warning. Keras's own files are complete.
    """

    def _trackable_children(self, save_type: str = "checkpoint", **kwargs: Any) -> dict[str, Any]:
        # A method of the Keras layer that comes after this class.
        children = super()._trackable_children(save_type, **kwargs)  # type: ignore[misc]
        if save_type == "checkpoint":
            for name, value in vars(self).items():
                if isinstance(value, list) and not name.startswith("_"):
                    parts = (
                        p for p in value if isinstance(p, (keras.layers.Layer, keras.Variable))
                    )
                    children |= {f"{name}-{k}": part for k, part in enumerate(parts)}
        return children
