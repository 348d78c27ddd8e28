"""The flags of `export.client`, a class for each of its commands."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro

from train.data.music.rolls import DEFAULT_STEPS_PER_BEAT
from train.support.flags import OptionalText
from train.support.ranges import POSITIVE, STEPS_PER_BEAT, TEMPERATURE, TEMPO, Range

__all__ = ["GenerateConfig", "ScoreConfig", "StatusConfig"]

# The server takes it as int32.
_LENGTH = Range("a number above 0, at most 2147483647", lambda x: 1 <= x < 2**31)


@dataclasses.dataclass(frozen=True)
class GenerateConfig:
    """Samples: text, one per line, or music, as MIDI files whose paths are printed."""

    url: str
    """URL of the model, http://HOST:PORT/v1/models/NAME."""
    num: Annotated[int, POSITIVE, tyro.conf.arg(aliases=["-n"])] = 1
    """Number of samples."""
    prompt: OptionalText = None
    """Beginning of each sample: a text, or a MIDI file for a model of music."""
    length: Annotated[int | None, _LENGTH] = None
    """Length of each sample [characters or time steps], at most the model's maximum.
    None: 100, or drawn by the model after --prompt."""
    temperature: Annotated[float, TEMPERATURE] = 1.0
    """Factor of the noise. 0: deterministic; 1: the model's distribution."""
    seed: int = 0
    """Seed of the first sample; the next samples have the next seeds."""
    out: Path | None = None
    """Music: folder for the files. None: `samples`."""
    steps_per_beat: Annotated[int, STEPS_PER_BEAT] = DEFAULT_STEPS_PER_BEAT
    """Music: time steps per quarter note, as in the training."""
    tempo: Annotated[float | None, TEMPO] = None
    """Music: quarter notes per minute, 4 to 1000. None: the tempo of --prompt, or 100."""


@dataclasses.dataclass(frozen=True)
class ScoreConfig:
    """Log-likelihoods of texts or pieces, one per line."""

    inputs: tyro.conf.Positional[tuple[str, ...]]
    """Sentences, or MIDI files for a model of music."""
    url: str
    """URL of the model, http://HOST:PORT/v1/models/NAME."""
    steps_per_beat: Annotated[int, STEPS_PER_BEAT] = DEFAULT_STEPS_PER_BEAT
    """Music: time steps per quarter note, as in the training."""
    json: bool = False
    """Print the numbers as JSON, one object per line."""


@dataclasses.dataclass(frozen=True)
class StatusConfig:
    """Versions and signatures of a model."""

    url: str
    """URL of the model, http://HOST:PORT/v1/models/NAME."""
