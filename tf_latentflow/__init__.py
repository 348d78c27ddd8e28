"""Latent normalizing flows for discrete sequences: the model and its parts."""

from tf_latentflow.baseline import LSTMLanguageModel
from tf_latentflow.build import build_model
from tf_latentflow.config import MODEL_NAMES, PRESETS, ModelConfig
from tf_latentflow.length_model import LengthModel
from tf_latentflow.model import LatentFlow
from tf_latentflow.prior import FlowPrior
from tf_latentflow.sequence_model import ELBO, Estimate, SequenceModel
from tf_latentflow.vocabulary import Vocabulary

__all__ = [
    "ELBO",
    "MODEL_NAMES",
    "PRESETS",
    "Estimate",
    "FlowPrior",
    "LSTMLanguageModel",
    "LatentFlow",
    "LengthModel",
    "ModelConfig",
    "SequenceModel",
    "Vocabulary",
    "build_model",
]
