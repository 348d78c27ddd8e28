"""Hands trained models to other runtimes: a SavedModel for TF Serving, and a server to try it."""

__all__: list[str] = []
