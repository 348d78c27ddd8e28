"""What a training run on music is told."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, ClassVar

from train.data.music.folder.files import has_splits
from train.data.music.sets import NAMED_SETS, MusicSet, load_music
from train.data.music.undivided import UndividedMusic, load_undivided
from train.engine.settings import Range
from train.settings.config import TrainConfig
from train.support.units import NATS_PER_STEP, Unit

__all__ = ["MusicConfig"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class MusicConfig(TrainConfig):
    """Settings of a training run on polyphonic music, which the same command again continues.

    `--preset` sets the other defaults; `--preset paper --help` shows those of paper.
    `--epochs` or `--max-steps` ends the run, and one alone lifts the preset's other.
    """

    task: ClassVar[str] = "music"
    program: ClassVar[str] = "train.polyphonic_music"
    named_datasets: ClassVar[tuple[str, ...]] = NAMED_SETS
    emission: ClassVar[str] = "bernoulli"
    unit: ClassVar[Unit] = NATS_PER_STEP
    from_data: ClassVar[tuple[str, ...]] = ("max_length",)

    dataset: str = "chorales"
    """chorales (Bach's, as music21 carries them), jsb, nottingham, piano-midi, musedata (the sets
    of Boulanger-Lewandowski et al., 2012), or a folder of MIDI files."""
    data_dir: Path | None = None
    """Folder with the .mat or .pickle file of jsb, nottingham, piano-midi or musedata. None:
    downloaded once, to a cache."""
    # There are 480 ticks of a beat in a MIDI file.
    steps_per_beat: Annotated[int, Range("1 to 480", lambda n: 1 <= n <= 480)] = 2
    """Time steps that a quarter note is quantised to, in a folder of MIDI files and in the MIDI
    files of samples [time steps]."""

    def load(self) -> MusicSet:
        """Returns the dataset.

        Raises:
          UserError: If it cannot be had.
        """
        return load_music(self.dataset, self.data_dir, self.steps_per_beat)

    def is_divided(self) -> bool:
        """Whether the dataset comes with splits; other data is dealt to splits, or is one."""
        return self.dataset in self.named_datasets or has_splits(Path(self.dataset))

    def load_undivided(self) -> UndividedMusic:
        """Returns data that comes without splits, to be evaluated as a whole.

        Raises:
          UserError: If it cannot be had.
        """
        return load_undivided(self.dataset, self.steps_per_beat)
