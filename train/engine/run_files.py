"""The names of a run's files."""

from __future__ import annotations

from pathlib import Path

__all__ = ["RunFiles"]


class RunFiles:
    """Paths of a run's files.

    | file                | content                                                               |
    |---------------------|-----------------------------------------------------------------------|
    | `config.json`       | format, all settings, the model's config with the vocabulary, checksum |
    | `checkpoints/`      | state of the run                                                      |
    | `tensorboard/`      | event files, `train/` and `valid/`: `tensorboard --logdir WORKDIR`    |
    | `model.keras`       | the best weights, once the run has finished                           |
    | `results.json`      | the results of the test, once it has finished too                     |
    | `results-N.json`    | the results after N steps, if the run was extended afterwards         |
    | `model-N.keras`     | the model of those results                                            |
    | `samples.txt`       | samples of the finished model, one a line (text)                      |
    | `samples/`          | samples of the finished model, MIDI files and pictures (music)        |
    """

    def __init__(self, path: Path) -> None:
        """Only remembers the path; touches no file."""
        self.path = path
        self.config_file = path / "config.json"
        self.results_file = path / "results.json"
        self.model_file = path / "model.keras"
        self.checkpoints = path / "checkpoints"
        self.tensorboard = path / "tensorboard"
        self.texts_file = path / "samples.txt"
        self.samples_folder = path / "samples"

    @property
    def has_begun(self) -> bool:
        """Whether the folder is that of a run that has begun."""
        return self.config_file.is_file() and self.checkpoints.is_dir()

    @property
    def pieces(self) -> list[Path]:
        """The MIDI files that the finished run has left."""
        return sorted(self.samples_folder.glob("final-*.mid"))

    def piece(self, number: int) -> Path:
        """Returns the path of one of them."""
        return self.samples_folder / f"final-{number}.mid"
