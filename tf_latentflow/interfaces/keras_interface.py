"""Keras methods that a model of ragged sequences does not support, or not for every argument."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

__all__ = ["KerasInterface"]


class KerasInterface:
    """Methods of `keras.Model` that expect a batch of one tensor; each names its replacement.

    Every method but `save` raises NotImplementedError.
    """

    def save(self, filepath: str | Path, *args: Any, **kwargs: Any) -> None:
        """As in Keras, which loads the file again.

        Raises:
          ValueError: The file would be in the older format HDF5, from which Keras could not load
            the model.
        """
        if Path(filepath).suffix in (".h5", ".hdf5"):
            raise ValueError(f"expected a name that ends with .keras; got {str(filepath)!r}")
        keras.Model.save(self, filepath, *args, **kwargs)

    def fit(self, *args: Any, **kwargs: Any) -> None:
        """Not supported: a batch is x with its lengths, and the KL term has a schedule."""
        raise NotImplementedError(
            f"{type(self).__name__} has no fit: use the gradients of elbo(x, lengths, "
            "training=True), or python -m train.char_lm or train.polyphonic_music"
        )

    train_on_batch = fit

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Not supported: only `fit` would use an optimizer of the model."""
        raise NotImplementedError(
            f"{type(self).__name__} has no compile: give the gradients of elbo(x, lengths, "
            "training=True) to an optimizer of your own, whose apply changes the weights"
        )

    def predict(self, *args: Any, **kwargs: Any) -> None:
        """Not supported: a batch is x with its lengths."""
        raise NotImplementedError(
            f"{type(self).__name__} has no predict: use log_likelihood(x, lengths) or "
            "sample(lengths)"
        )

    predict_on_batch = predict

    def evaluate(self, *args: Any, **kwargs: Any) -> None:
        """Not supported: a batch is x with its lengths."""
        raise NotImplementedError(
            f"{type(self).__name__} has no evaluate: use log_likelihood(x, lengths) or, for "
            "a run, python -m train.evaluate"
        )

    test_on_batch = evaluate

    def export(self, *args: Any, **kwargs: Any) -> None:
        """Not supported: a model has several signatures."""
        raise NotImplementedError(
            f"{type(self).__name__} has no export: use python -m export.saved_model"
        )

    def quantize(self, *args: Any, **kwargs: Any) -> None:
        """Not supported: Keras would quantize only some of the layers."""
        raise NotImplementedError(
            f"{type(self).__name__} has no quantize: for cheaper products, set "
            "model.execution = Execution(products='bfloat16')"
        )
