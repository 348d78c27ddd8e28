"""What `train.sample` is told, and what of it a model can do; needs no TensorFlow."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Annotated

import tyro

from tf_latentflow import ModelConfig
from train.engine.settings import refuse_flag
from train.settings.source import OptionalModelSource
from train.support.errors import UserError
from train.support.extras import require_extra
from train.support.reading import refuse_special
from train.support.units import Unit

__all__ = ["SampleConfig", "check_tempo"]

_DEFAULT_AMOUNT = 0.3
_SLOWEST, _FASTEST = 4, 1000  # Quarter notes in a minute: a MIDI file can say no slower.


@dataclasses.dataclass(frozen=True)
class SampleConfig:
    """Samples of a trained model: text, one a line, or music, as MIDI files with pictures."""

    model: tyro.conf.Positional[OptionalModelSource] = None
    list: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print the pretrained models, by the names that MODEL may be, and draw nothing."""
    num: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 10
    """Number of samples."""
    length: int | None = None
    """Length of each [characters, or time steps]. None: drawn from the training split's lengths."""
    temperature: float = 1.0
    """0: the most probable everywhere; 1: as the model has it [factor of the noise]."""
    seed: int = 0
    """The same seed gives the same samples."""
    out: Path | None = None
    """Music: folder for the files. None: samples, in the run's folder or in the current one."""
    prime: Path | None = None
    """Music: a MIDI file to vary, by way of its latents, instead of drawing pieces."""
    amount: float | None = None
    """Music: how far from --prime, from 0 (as the model reads it) to 1 (a new piece). None: 0.3."""
    tempo: float | None = None
    """Music: quarter notes in a minute, 4 to 1000. None: the tempo of --prime, or 100."""

    @property
    def distance(self) -> float:
        """How far from --prime, its default filled in."""
        return _DEFAULT_AMOUNT if self.amount is None else self.amount

    def check(self, model: ModelConfig, unit: Unit) -> None:
        """Refuses what no model, or not this one, can do.

        Args:
          model: Configuration of the model.
          unit: Of its likelihoods.

        Raises:
          UserError: Naming the flag.
        """
        self.check_values()
        if self.length is not None and not 1 <= self.length <= model.max_length:
            refuse_flag("length", f"1 to {model.max_length} {unit.symbols}", self.length)
        if model.emission == "categorical":
            self._check_text()
        else:
            self._check_music(model)

    def check_values(self) -> None:
        """Refuses what no model can do.

        Raises:
          UserError: Naming the flag.
        """
        if self.num < 1:
            raise UserError(f"-n expects a number above 0; got {self.num}")
        if not (math.isfinite(self.temperature) and self.temperature >= 0):
            refuse_flag("temperature", "a number of at least 0", self.temperature)
        if not 0 <= self.seed < 2**31:
            refuse_flag("seed", "a whole number from 0 to 2147483647", self.seed)
        if self.tempo is not None:
            check_tempo(self.tempo)

    def _check_text(self) -> None:
        for name in ("out", "prime", "amount", "tempo"):
            if getattr(self, name) is not None:
                raise UserError(f"--{name} is for models of music; this one writes text")

    def _check_music(self, model: ModelConfig) -> None:
        require_extra("music", "mido")
        if self.prime is None:
            if self.amount is not None:
                raise UserError("--amount says how far from --prime; give a MIDI file as --prime")
            return
        if not model.is_flow:
            raise UserError("--prime varies a piece by way of its latents; the lstm has none")
        if self.length is not None:
            raise UserError("--length is for new pieces; a variation is as long as its --prime")
        if not 0 <= self.distance <= 1:
            refuse_flag("amount", "a number from 0 to 1", self.amount)
        refuse_special(self.prime)
        if not self.prime.is_file():
            refuse_flag("prime", "a MIDI file", f"{str(self.prime)!r}, where there is none")


def check_tempo(tempo: float) -> None:
    """Refuses a --tempo that is none.

    Raises:
      UserError: If it is not from 4 to 1000 quarter notes in a minute.
    """
    if not _SLOWEST <= tempo <= _FASTEST:
        expected = f"a number from {_SLOWEST} to {_FASTEST}, quarter notes in a minute"
        refuse_flag("tempo", expected, tempo)
