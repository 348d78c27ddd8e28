"""The settings of a training run on music."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Annotated, ClassVar

from tf_latentflow.config.rows import NOTES
from train.data.music.folder.files import has_splits
from train.data.music.rolls import DEFAULT_STEPS_PER_BEAT
from train.data.music.sets import NAMED_SETS, MusicSet, load_music
from train.data.music.transposition import transposed
from train.data.music.undivided import UndividedMusic, load_undivided
from train.engine.order import Vary
from train.settings.config import TrainConfig
from train.settings.flags import ModelName
from train.support.ranges import STEPS_PER_BEAT, Range
from train.support.units import NATS_PER_STEP, Unit

__all__ = ["MusicConfig"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class MusicConfig(TrainConfig):
    """Trains a model of music, tests it and draws samples.

    The same command resumes an interrupted run. `--preset` sets the other defaults; `--preset paper
    --help` shows those of paper. `--epochs` or `--max-steps` ends the run; setting one removes the
    preset's limit for the other.
    """

    task: ClassVar[str] = "music"
    program: ClassVar[str] = "train.polyphonic_music"
    named_datasets: ClassVar[tuple[str, ...]] = NAMED_SETS
    emissions: ClassVar[tuple[str, ...]] = NOTES
    unit: ClassVar[Unit] = NATS_PER_STEP
    from_data: ClassVar[tuple[str, ...]] = ("max_length",)

    model: ModelName = "chords"
    dataset: str = "chorales"
    """chorales (Bach's, from music21), jsb, nottingham, piano-midi, musedata (the sets
    of Boulanger-Lewandowski et al., 2012), or a folder of MIDI files."""
    data_dir: Path | None = None
    """Folder with the .mat or .pickle file of jsb, nottingham, piano-midi or musedata. None:
    they are downloaded once."""
    # There are 480 ticks of a beat in a MIDI file.
    steps_per_beat: Annotated[int, STEPS_PER_BEAT] = DEFAULT_STEPS_PER_BEAT
    """Time steps that a quarter note is quantised to, in a folder of MIDI files and in the MIDI
    files of samples [time steps]."""

    transpose: Annotated[int, Range("0 to 11", lambda n: 0 <= n <= 11)] = 0
    """Transpose each training piece, whenever it is read, by a random interval of up to this many
    semitones, up or down. 0: all pieces keep their keys [semitones]."""

    @property
    def vary(self) -> Vary | None:
        if not self.transpose:
            return None
        return functools.partial(transposed, semitones=self.transpose, seed=self.seed)

    def load(self) -> MusicSet:
        """Returns the dataset.

        Raises:
          UserError: It cannot be read or downloaded.
        """
        return load_music(self.dataset, self.data_dir, self.steps_per_beat)

    def is_divided(self) -> bool:
        """Whether the dataset comes with splits. Other data is split by hash, or used whole."""
        return self.has_named_dataset or has_splits(Path(self.dataset))

    def load_undivided(self) -> UndividedMusic:
        """Returns data without splits, to be evaluated as a whole.

        Raises:
          UserError: It cannot be read.
        """
        return load_undivided(self.dataset, self.steps_per_beat)
