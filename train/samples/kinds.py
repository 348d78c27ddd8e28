"""How samples are shown, by the kind of data."""

from __future__ import annotations

from collections.abc import Mapping

from train.samples.music import MusicSamples
from train.samples.protocol import Samples
from train.samples.text import TextSamples

__all__ = ["SAMPLES"]

SAMPLES: Mapping[str, Samples] = {"text": TextSamples(), "music": MusicSamples()}
