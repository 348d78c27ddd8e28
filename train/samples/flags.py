"""The flags of `train.sample`, and which models they suit; needs no TensorFlow."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Self

import tyro

from tf_latentflow import ModelConfig
from train.samples.piece_files import check_folder
from train.samples.ways import check_way, way_of
from train.settings.source import OptionalModelSource
from train.support.errors import UserError
from train.support.extras import require_extra
from train.support.flags import OptionalText
from train.support.ranges import (
    AT_LEAST_1,
    POSITIVE,
    SEED,
    TEMPERATURE,
    TEMPO,
    Range,
    refuse_flag,
)
from train.support.units import Unit

__all__ = ["SampleConfig"]

_BOTH_ENDS = Range("a number of at least 2", lambda x: x >= 2)
_AMOUNT = Range("a number from 0 to 1", lambda x: 0 <= x <= 1)


@dataclasses.dataclass(frozen=True)
class SampleConfig:
    """Samples of a trained model: text, one per line, or music, as MIDI files with pictures."""

    model: tyro.conf.Positional[OptionalModelSource] = None
    list: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """List the pretrained models and exit."""
    num: Annotated[int | None, POSITIVE, tyro.conf.arg(aliases=["-n"])] = None
    """Number of samples. None: 10, or --steps with --interpolate."""
    length: int | None = None
    """Length of each sample [characters or time steps]. None: drawn from p(T)."""
    temperature: Annotated[float | None, TEMPERATURE] = None
    """Multiplies the noise, divides the logits. 0: deterministic, as --interpolate always is;
    1, for None: the model's distribution."""
    seed: Annotated[int, SEED] = 0
    """The same seed gives the same samples."""
    out: Path | None = None
    """Music: folder for the files. None: `samples`, in the run or the current folder."""
    tempo: Annotated[float | None, TEMPO] = None
    """Music: quarter notes per minute, 4 to 1000. None: the tempo of the given file, or 100."""
    prompt: OptionalText = None
    """Text: beginning of all samples."""
    continue_: Annotated[Path | None, tyro.conf.arg(name="continue")] = None
    """Music: a MIDI file that all samples begin with."""
    vary: OptionalText = None
    """A text or a MIDI file to vary through its latents."""
    amount: Annotated[float | None, _AMOUNT] = None
    """How far from --vary: from 0 (its reconstruction) to 1 (a new sample). None: 0.3."""
    interpolate: tuple[str, ...] | None = None
    """Two texts or two MIDI files: samples from one's reconstruction to that of the other."""
    steps: Annotated[int | None, _BOTH_ENDS] = None
    """With --interpolate: number of samples, instead of -n. None: 5."""
    fill: OptionalText = None
    """Text: a text with blanks; a character is drawn for each _."""
    blank: str | None = None
    """With --fill: the character to replace, instead of _."""
    harmonise: Path | None = None
    """Music: a MIDI file whose highest voice is kept; the other voices are drawn."""
    particles: Annotated[int | None, AT_LEAST_1] = None
    """Proposals to choose from: more are slower, but more exact. None: 64, or 32 to fill in.
    The baseline has none."""
    sweeps: Annotated[int | None, AT_LEAST_1] = None
    """With --fill or --harmonise: how often everything is redrawn. None: 8."""

    def resolved(self) -> Self:
        """Returns these flags, with the defaults of the options that their way has."""
        options = way_of(self).options
        missing = {name: value for name, value in options.items() if getattr(self, name) is None}
        return dataclasses.replace(self, **missing)

    def check(self, model: ModelConfig, unit: Unit) -> None:
        """Checks that the flags are valid for a model.

        Args:
          model: Configuration of the model.
          unit: Unit of its likelihoods.

        Raises:
          UserError: A value is invalid; the error names the flag.
        """
        check_way(self, model)
        if self.length is not None and not 1 <= self.length <= model.max_length:
            refuse_flag("length", f"1 to {model.max_length} {unit.symbols}", self.length)
        if not model.is_text:
            require_extra("music", "mido")
            return
        for name in ("out", "tempo"):
            if getattr(self, name) is not None:
                raise UserError(f"--{name} is for models of music; this one writes text")

    def check_values(self) -> None:
        """Checks what depends on no model and is no range, which `parse_flags` checks.

        Raises:
          UserError: A value is invalid; the error names the flag.
        """
        if self.out is not None:
            check_folder(self.out)
        if self.interpolate is not None and len(self.interpolate) != 2:
            refuse_flag("interpolate", "two texts or two MIDI files", len(self.interpolate))
        if self.blank is not None and len(self.blank) != 1:
            refuse_flag("blank", "one character", repr(self.blank))
        if way_of(self).needs_latents and self.particles == 1:
            refuse_flag("particles", "a number of at least 2", self.particles)
