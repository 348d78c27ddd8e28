"""Polyphonic music as a kind of data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from train.errors import UserError
from train.extras import require_extra
from train.music.config import MusicConfig
from train.music.midi import MidiPiece, read_midi
from train.music.rolls import NUM_NOTES
from train.music.sets import MusicSet, load_music
from train.splits import SPLITS
from train.units import NATS_PER_STEP

if TYPE_CHECKING:
    import keras
    import numpy as np

    from tf_latentflow import ModelConfig
    from train.board import Board
    from train.sample import SampleConfig

__all__ = ["MusicTask"]

_NUM_SAMPLES = 16  # Over which a finished run's statistics go;
_NUM_FILES = 4  # these of them are written,
_SAMPLE_STEPS = 128  # each this long if the model can.
_DEFAULT_AMOUNT = 0.3


class MusicTask:
    """Piano rolls, a chord a step. A `train.task.Task`."""

    config = MusicConfig
    unit = NATS_PER_STEP

    def load(self, config: MusicConfig) -> MusicSet:
        require_extra("music")
        return load_music(config.dataset, config.data_dir, config.steps_per_beat)

    def describe(self, dataset: MusicSet) -> str:
        splits = {name: getattr(dataset, name) for name in SPLITS}
        sizes = ", ".join(
            f"{name} {len(rolls)} pieces ({sum(map(len, rolls))} steps, longest "
            f"{max(map(len, rolls))})"
            for name, rolls in splits.items()
        )
        lines = [f"dataset {dataset.name}: {sizes}"]
        if dataset.left_out:
            lines.append(f"{len(dataset.left_out)} left out, wholly or in part:")
        return "\n".join([*lines, *(f"  {line}" for line in dataset.left_out)])

    def model_fields(self, dataset: MusicSet) -> dict[str, Any]:
        longest = max(len(roll) for roll in (*dataset.train, *dataset.valid))
        # Room for test pieces that are longer than all others.
        max_length = longest + longest // 4
        return {"emission": "bernoulli", "vocab_size": NUM_NOTES, "max_length": max_length}

    def encode(
        self, model_config: ModelConfig, sequences: Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        return [roll for roll in sequences if len(roll) <= model_config.max_length]

    def split_numbers(
        self, sequences: Sequence[np.ndarray], encoded: Sequence[np.ndarray]
    ) -> dict[str, Any]:
        too_long = len(sequences) - len(encoded)
        return {"num_too_long": too_long} if too_long else {}

    def show(
        self, model_config: ModelConfig, valid: Sequence[np.ndarray], config: MusicConfig
    ) -> Callable[[keras.Model, Board, int], None]:
        from train.music.samples import music_show

        return music_show(valid, config.seed, config.steps_per_beat)

    def leave_samples(
        self, model: keras.Model, dataset: MusicSet, config: MusicConfig, workdir: Path
    ) -> dict[str, Any]:
        from train.draw import draw_sequences
        from train.music.samples import write_pieces
        from train.music.statistics import summary

        length = min(_SAMPLE_STEPS, model.config.max_length)
        rolls = draw_sequences(model, _NUM_SAMPLES, seed=config.seed, length=length)
        names = [f"final-{i}" for i in range(_NUM_FILES)]
        write_pieces(workdir / "samples", names, rolls[:_NUM_FILES], config.steps_per_beat)
        return {"samples": summary(rolls), "data": summary(dataset.train)}

    def print_samples(self, workdir: Path, numbers: dict[str, Any]) -> None:
        samples, data = numbers["samples"], numbers["data"]
        print(f"\n{'':<20}{'samples':>9}{'data':>9}")
        for key, label in (("notes_per_step", "notes per step"), ("held_share", "notes held")):
            print(f"{label:<20}{samples[key]:>9.3f}{data[key]:>9.3f}")
        print(f"\nsamples, MIDI files and pictures: {workdir / 'samples'}")

    def check_sample_flags(self, flags: SampleConfig, model: dict[str, Any]) -> None:
        require_extra("music")
        if flags.prime is None:
            if flags.amount is not None:
                raise UserError("--amount says how far from --prime; give a MIDI file as --prime")
            return
        if model["scalar"] is None:
            raise UserError("--prime varies a piece by way of its latents; the lstm has none")
        if flags.length is not None:
            raise UserError("--length is for new pieces; a variation is as long as its --prime")
        if not 0 <= _amount(flags) <= 1:
            raise UserError(f"--amount expects a number from 0 to 1; got {flags.amount}")

    def sample(self, model: keras.Model, flags: SampleConfig, config: MusicConfig) -> None:
        from train.draw import draw_sequences
        from train.music.samples import vary_piece, write_pieces

        if flags.prime is None:
            stem = f"sample-{flags.seed}"
            rolls = draw_sequences(
                model,
                flags.num,
                seed=flags.seed,
                temperature=flags.temperature,
                length=flags.length,
            )
        else:
            stem = f"{flags.prime.stem}-{flags.seed}"
            piece = _read_prime(flags.prime, config, model.config.max_length)
            rolls = vary_piece(
                model, piece.roll, flags.num, _amount(flags), flags.seed, flags.temperature
            )
        names = [f"{stem}-{i}" for i in range(len(rolls))]
        folder = flags.workdir / "samples" if flags.out is None else flags.out
        for path in write_pieces(folder, names, rolls, config.steps_per_beat):
            print(path)


def _amount(flags: SampleConfig) -> float:
    return _DEFAULT_AMOUNT if flags.amount is None else flags.amount


def _read_prime(path: Path, config: MusicConfig, max_length: int) -> MidiPiece:
    """Reads a piece that the model gives a probability."""
    piece = read_midi(path, config.steps_per_beat)
    if len(piece.roll) > max_length:
        raise UserError(
            f"{path} has {len(piece.roll)} steps, and the model knows pieces of at most "
            f"{max_length}: cut it, or train on longer pieces"
        )
    return piece
