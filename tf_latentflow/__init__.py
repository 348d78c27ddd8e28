"""Latent normalizing flows for discrete sequences: the model and its parts.

Names are imported when they are first used, so that a configuration needs no TensorFlow.
"""

import os

import lazy_loader

if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
    raise ImportError(
        "tf_latentflow needs Keras with TensorFlow; got KERAS_BACKEND="
        f"{os.environ['KERAS_BACKEND']}: unset it, or set it to tensorflow"
    )

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "baseline": ["LSTMLanguageModel"],
        "build": ["build_model", "from_pretrained"],
        "config": ["ModelConfig"],
        "config.rows": ["MODEL_NAMES", "PRESETS"],
        "length_model": ["LengthModel"],
        "model": ["LatentFlow"],
        "noise": ["Noise", "NoiseSource"],
        "pretrained.card": ["Card", "Result"],
        "pretrained.errors": ["PretrainedError"],
        "prior.flow_prior": ["FlowPrior"],
        "sequence_model": ["SequenceModel"],
        "terms": ["Terms"],
        "vocabulary": ["Vocabulary"],
    },
)
