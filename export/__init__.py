"""Exporting trained models: SavedModels for TF Serving, a local server, and training bundles."""

import train  # Refuses another backend of Keras, and lets Ctrl-C end the imports.

__all__: list[str] = []

del train
