"""Ranges of what a model is given when it draws."""

from __future__ import annotations

__all__ = ["MAX_TEMPERATURE"]

MAX_TEMPERATURE = 1000.0
"""The highest temperature. Far higher ones would draw latents that float32 cannot represent."""
