"""What is wrong with a pretrained model."""

from __future__ import annotations

__all__ = ["PretrainedError"]


class PretrainedError(ValueError):
    """There is no such pretrained model, or its files cannot be used; one line with the cure.

    Example:
      >>> from tf_latentflow import PretrainedError, from_pretrained
      >>> try:
      ...     from_pretrained("no-such-model")
      ... except PretrainedError as error:
      ...     print(str(error)[:30])
      expected the name of a pretrai
    """
