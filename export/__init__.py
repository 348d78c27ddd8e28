"""Hands trained models to other runtimes: a SavedModel for TF Serving, and a server to try it."""

import train  # Refuses another backend of Keras.

__all__: list[str] = []

del train
