"""From a configuration, or from a pretrained model, to a model."""

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
    """The flow or the baseline that `config` describes, all variables made.

    Example:
      >>> from tf_latentflow import ModelConfig, build_model
      >>> model = build_model(ModelConfig.from_name("codebook", preset="tiny", vocab_size=5))
      >>> type(model).__name__, model.count_params()
      ('LatentFlow', 59138)
    """
    return LatentFlow(config) if config.is_flow else LSTMLanguageModel(config)


def from_pretrained(source: str | Path) -> LatentFlow | LSTMLanguageModel:
    """The pretrained model of a name, or of a folder that `save_pretrained` wrote.

    It has the `card`, and it speaks strings or piano rolls: `log_prob`, `sample_texts`,
    `reconstruct_texts`, `sample_rolls`, `reconstruct_rolls`.

    Args:
      source: A name (`python -m train.sample --list` shows them), or the path of a folder.

    Raises:
      ValueError: there is no such model, or its files are damaged or of another version.

    Example:
      >>> from tf_latentflow import from_pretrained
      >>> model = from_pretrained("python-reference")
      >>> model.card.license
      'PSF License Agreement, version 2 (Python documentation)'
      >>> texts = model.sample_texts(2, temperature=0.5, seed=0, lengths=20)
      >>> [len(text) for text in texts]
      [20, 20]
    """
    return load_pretrained(find_pretrained(source))


def load_pretrained(pretrained: Pretrained) -> LatentFlow | LSTMLanguageModel:
    """The model of a folder that has been read.

    Raises:
      PretrainedError: its weights are damaged, or those of another version of the model.
    """
    model = build_from(pretrained.model, pretrained.model, pretrained.weights())
    model.pretrained = pretrained
    return model


def build_from(
    config: ModelConfig, start: ModelConfig, weights: Sequence[NamedArray]
) -> LatentFlow | LSTMLanguageModel:
    """The model that `config` describes with the weights of another one, as far as it has them.

    Rows of symbols go by the characters: one that the other model has not keeps its fresh weights,
    as do the positions beyond the other's longest.

    Args:
      config: Of the model; it may differ from `start` in vocabulary and dropout, and be longer.
      start: Of the other model.
      weights: Path and value of each of its variables, in the order in which it made them.

    Raises:
      PretrainedError: the weights are those of another version of the model, or it does not know
        its vocabulary.
    """
    model = build_model(config)
    if [path for path, _ in weights] != [variable.path for variable in model.variables]:
        raise PretrainedError(_other_version(start))
    ours, theirs = _shared_rows(config, start)
    for variable, (path, value) in zip(model.variables, weights, strict=True):
        fitted = variable.numpy()
        rows = (len(value), len(fitted)) if fitted.ndim else ()
        if value.shape[1:] != fitted.shape[1:]:
            raise PretrainedError(_other_version(start))
        if path in _OF_SYMBOLS and rows == (start.vocab_size, config.vocab_size):
            fitted[ours] = value[theirs]
        elif value.shape == fitted.shape:
            fitted = value
        elif rows == (start.max_length, config.max_length) and rows[0] < rows[1]:
            fitted[: len(value)] = value
        else:
            raise PretrainedError(_other_version(start))
        variable.assign(fitted)
    return model


# The variables with a row for each symbol.
_OF_SYMBOLS = (
    *("symbols/embedding", "symbols/bias"),
    *("codebook/mean", "codebook/log_std", "emitter/log_weight"),
)


def _shared_rows(config: ModelConfig, start: ModelConfig) -> tuple[list[int], list[int]]:
    """The ids of the symbols that both models have: here, and there."""
    if config.vocabulary == start.vocabulary and config.vocab_size == start.vocab_size:
        return [*range(config.vocab_size)], [*range(config.vocab_size)]
    if start.vocabulary is None or config.vocabulary is None:
        raise PretrainedError(
            "expected a model that knows its vocabulary, to find its characters in another; got "
            "one without"
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
