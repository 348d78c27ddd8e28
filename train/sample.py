"""Draws samples: `python -m train.sample MODEL -n 10 --length 80 --temperature 0.8 --seed 0`.

For text, the samples are printed, one per line, and nothing else. For music, each sample is
written as a MIDI file and a picture, and their paths are printed. Samples can be made from given
ones:

    python -m train.sample MODEL --prompt "The function "
    python -m train.sample MODEL --fill "The ________ returns a list."
    python -m train.sample MODEL --vary "A sentence." --amount 0.3
    python -m train.sample MODEL --interpolate "A sentence." "Another one." --steps 7

    python -m train.sample MODEL --continue BEGINNING.mid --out DIR
    python -m train.sample MODEL --harmonise MELODY.mid
    python -m train.sample MODEL --vary MY_PIECE.mid --amount 0.3
    python -m train.sample MODEL --interpolate A.mid B.mid --steps 5

MODEL is the folder of a finished run, or a pretrained model: `python -m train.sample --list`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from train.engine.progress import show_split_progress
from train.runs.saved_run import read_run
from train.samples.flags import SampleConfig
from train.samples.given import read_given
from train.settings.source import known_models
from train.support.errors import UserError, run_program
from train.support.flags import parse_flags
from train.support.screen import Screen
from train.support.startup import import_tensorflow_quietly

__all__ = ["main"]


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program.

    Args:
      args: Its flags; None for those of the process.

    Raises:
      UserError: The input is invalid.
    """
    flags = parse_flags(SampleConfig, "python -m train.sample", args)
    if flags.list:
        print(known_models())
        return
    if flags.model is None:
        raise UserError("expected a MODEL: a folder, or a name that --list shows; got none")
    flags.check_values()
    run = read_run(flags.model)
    flags.check(run.model_config, run.config.unit)
    flags = flags.resolved()
    given = read_given(flags, run.model_config, run.config)
    if flags.out is None:
        flags = dataclasses.replace(flags, out=run.samples_folder)
    if not run.model_config.is_text:
        flags.out.mkdir(parents=True, exist_ok=True)  # Before anything that takes time.
    with Screen() as screen:
        screen.now("loading TensorFlow")
        import_tensorflow_quietly()
        from train.runs.saved_model import load_model
        from train.samples.kinds import SAMPLES

        screen.now("reading the model")
        model = load_model(run.source)
        progress = show_split_progress(screen, "drawing samples")
        for line in SAMPLES[run.config.task].sample(model, flags, run.config, given, progress):
            screen.line(line)


if __name__ == "__main__":
    run_program(main)
