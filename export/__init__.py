"""Exporting trained models: SavedModels for TF Serving, a local server, and training bundles."""

import train  # Refuses another backend of Keras.

__all__: list[str] = []

del train
