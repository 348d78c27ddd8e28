"""From a configuration to its model."""

from __future__ import annotations

from tf_latentflow.baseline import LSTMLanguageModel
from tf_latentflow.config import ModelConfig
from tf_latentflow.model import LatentFlow

__all__ = ["build_model"]


def build_model(config: ModelConfig) -> LatentFlow | LSTMLanguageModel:
    """The flow or the baseline that `config` describes, all variables made."""
    return LatentFlow(config) if config.is_flow else LSTMLanguageModel(config)
