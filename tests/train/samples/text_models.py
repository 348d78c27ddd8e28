"""Models of text with latents in a plane, and the sentences that figures show."""

from __future__ import annotations

import keras
import numpy as np

from tests.models import make_model
from tf_latentflow import Vocabulary

__all__ = ["CHARACTERS", "SENTENCES", "SIZES", "ids", "plane_model"]

CHARACTERS = tuple(" abeginoprsu")
SENTENCES = (
    "a bear",
    "a bear in a group",
    "no pines and big groups on a pier",
    "in spruce bearing",
)
SIZES = {"vocab_size": len(CHARACTERS) + 2, "max_length": 40, "vocabulary": CHARACTERS}


def plane_model(name: str = "af-af", **overrides: object) -> keras.Model:
    model = make_model(name, 0.3, **{**SIZES, "latent_size": 2, **overrides})
    model.length_model.fit(np.array([3, 7]))  # Fewer positions than the sentences have steps.
    return model


def ids(model: keras.Model, text: str) -> np.ndarray:
    return Vocabulary(model.config.vocabulary).encode(text)
