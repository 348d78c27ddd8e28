"""Ways of Keras that a model of ragged sequences does not go, each with the way that it goes."""

from __future__ import annotations

from typing import Any

__all__ = ["KerasWays"]


class KerasWays:
    """What of `keras.Model` needs a batch of one tensor: it names what to call instead.

    Every method raises NotImplementedError.
    """

    def fit(self, *args: Any, **kwargs: Any) -> None:
        """Not this way: a batch is x and its lengths, and the KL term has a schedule."""
        raise NotImplementedError(
            f"{type(self).__name__} is trained by a loop over the gradients of elbo(x, lengths, "
            "training=True), or by python -m train.char_lm and train.polyphonic_music, not by fit"
        )

    train_on_batch = fit

    def predict(self, *args: Any, **kwargs: Any) -> None:
        """Not this way: a batch is x and its lengths."""
        raise NotImplementedError(
            f"{type(self).__name__} answers log_likelihood(x, lengths) and sample(lengths), not "
            "predict"
        )

    predict_on_batch = predict

    def evaluate(self, *args: Any, **kwargs: Any) -> None:
        """Not this way: a batch is x and its lengths."""
        raise NotImplementedError(
            f"{type(self).__name__} is scored by log_likelihood(x, lengths), or a run by "
            "python -m train.evaluate, not by evaluate"
        )

    test_on_batch = evaluate

    def export(self, *args: Any, **kwargs: Any) -> None:
        """Not this way: a model has several signatures."""
        raise NotImplementedError(
            f"{type(self).__name__} is exported by python -m export.saved_model, not by export"
        )

    def quantize(self, *args: Any, **kwargs: Any) -> None:
        """Not this way: Keras would quantize some of the layers."""
        raise NotImplementedError(
            f"{type(self).__name__} has cheaper products by model.execution = "
            "Execution(products='bfloat16'), not by quantize"
        )
