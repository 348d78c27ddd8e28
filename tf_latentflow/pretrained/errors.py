"""The error for pretrained models that cannot be used."""

from __future__ import annotations

__all__ = ["PretrainedError"]


class PretrainedError(ValueError):
    """A pretrained model does not exist or cannot be used; the message says how to fix it.

    Example:
      >>> from tf_latentflow import PretrainedError, from_pretrained
      >>> try:
      ...     from_pretrained("no-such-model")
      ... except PretrainedError as error:
      ...     print(str(error)[:30])
      expected the name of a pretrai
    """
