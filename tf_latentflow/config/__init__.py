"""What a model is: its choices and sizes, and what is wrong with others."""

from tf_latentflow.config.checks import MAX_TEMPERATURE, check_given
from tf_latentflow.config.model_config import ModelConfig
from tf_latentflow.config.types import ConfigError, check_types

__all__ = ["MAX_TEMPERATURE", "ConfigError", "ModelConfig", "check_given", "check_types"]
