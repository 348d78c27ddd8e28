"""What is wrong with a pretrained model."""

from __future__ import annotations

__all__ = ["PretrainedError"]


class PretrainedError(ValueError):
    """There is no such pretrained model, or its files cannot be used; one line with the cure."""
