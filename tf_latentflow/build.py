"""Builds models from a configuration or from a pretrained model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tf_latentflow.baseline import LSTMLanguageModel
from tf_latentflow.config import ModelConfig
from tf_latentflow.model import LatentFlow
from tf_latentflow.pretrained.errors import PretrainedError
from tf_latentflow.pretrained.folder import Pretrained
from tf_latentflow.pretrained.names import find_pretrained
from tf_latentflow.pretrained.weights import NamedArray
from tf_latentflow.vocabulary import PADDING_ID, UNKNOWN_ID, Vocabulary

__all__ = ["build_from", "build_model", "from_pretrained", "load_pretrained"]


def build_model(config: ModelConfig) -> LatentFlow | LSTMLanguageModel:
    """The flow or baseline described by `config`, with all variables created.

    Example:
      >>> from tf_latentflow import ModelConfig, build_model
      >>> model = build_model(ModelConfig.from_name("codebook", preset="tiny", vocab_size=5))
      >>> type(model).__name__, model.count_params()
      ('LatentFlow', 59138)
    """
    return LatentFlow(config) if config.is_flow else LSTMLanguageModel(config)


def from_pretrained(source: str | Path) -> LatentFlow | LSTMLanguageModel:
    """Loads a pretrained model by its name, or from a folder written by `save_pretrained`.

    The model has a `card` and handles strings or piano rolls: `log_prob`, `sample_texts`,
    `reconstruct_texts`, `sample_rolls`, `reconstruct_rolls`.

    Args:
      source: A name (`python -m train.sample --list` shows them), or the path of a folder.

    Raises:
      ValueError: There is no such model, or its files are damaged or from another version.

    Example:
      >>> from tf_latentflow import from_pretrained
      >>> model = from_pretrained("python-reference")
      >>> model.card.license
      'PSF License Agreement, version 2 (Python documentation)'
      >>> len(model.sample_texts(2, temperature=0.5, seed=0, lengths=20))
      2
    """
    return load_pretrained(find_pretrained(source))


def load_pretrained(pretrained: Pretrained) -> LatentFlow | LSTMLanguageModel:
    """The model of a pretrained folder that has been read.

    Raises:
      PretrainedError: The weights are damaged or belong to another version of the model.
    """
    model = build_from(pretrained.model, pretrained.model, pretrained.weights())
    model.pretrained = pretrained
    return model


def build_from(
    config: ModelConfig, start: ModelConfig, weights: Sequence[NamedArray]
) -> LatentFlow | LSTMLanguageModel:
    """The model described by `config`, initialised from the weights of another model.

    Rows of symbols are matched by character. A character that the other model lacks keeps its
    initial weights, as do positions beyond the other model's maximum length.

    Args:
      config: Of the new model. It may differ from `start` in vocabulary and dropout, and be longer.
      start: Of the other model.
      weights: Path and value of each variable of the other model, in the order of creation.

    Raises:
      PretrainedError: The weights belong to another version of the model, or it has no vocabulary.
    """
    model = build_model(config)
    if [path for path, _ in weights] != [variable.path for variable in model.variables]:
        raise PretrainedError(_other_version(start))
    ours, theirs = _shared_rows(config, start)
    of_symbols = {id(weight) for layer in model.layers for weight in layer.symbol_weights}
    for variable, (_, value) in zip(model.variables, weights, strict=True):
        fitted = variable.numpy()
        rows = (len(value), len(fitted)) if fitted.ndim else (0, 0)
        if value.shape[1:] != fitted.shape[1:]:
            raise PretrainedError(_other_version(start))
        # A two-sided network reads one number more.
        others = rows[0] - start.vocab_size, rows[1] - config.vocab_size
        if id(variable) in of_symbols and others[0] == others[1]:
            fitted[ours] = value[theirs]
            fitted[config.vocab_size :] = value[start.vocab_size :]
        elif value.shape == fitted.shape:
            fitted = value
        elif rows == (start.max_length, config.max_length) and rows[0] < rows[1]:
            fitted[: len(value)] = value
        else:
            raise PretrainedError(_other_version(start))
        variable.assign(fitted)
    return model


def _shared_rows(config: ModelConfig, start: ModelConfig) -> tuple[list[int], list[int]]:
    """The ids of the symbols that both models have, in the new and in the other model."""
    if config.vocabulary == start.vocabulary and config.vocab_size == start.vocab_size:
        return [*range(config.vocab_size)], [*range(config.vocab_size)]
    if start.vocabulary is None or config.vocabulary is None:
        raise PretrainedError(
            "expected a model with a vocabulary, by which its characters are matched; got one "
            "without"
        )
    special = [PADDING_ID, UNKNOWN_ID]
    shared = "".join(c for c in config.vocabulary if c in start.vocabulary)
    ours, theirs = (Vocabulary(c.vocabulary).encode(shared) for c in (config, start))
    return [*special, *ours.tolist()], [*special, *theirs.tolist()]


def _other_version(config: ModelConfig) -> str:
    return (
        f"expected the weights of {config.name}; got those of another version of the model: use "
        "the version that wrote them"
    )
