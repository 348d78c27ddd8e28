"""Runs a training that was exported as a bundle: `python run_bundle.py --out DIR`.

It needs Python 3.11, NumPy and JAX with a device, and nothing else. The same command resumes an
interrupted run. The result is DIR/result. On a machine with TensorFlow, `python -m
export.import_weights DIR/result --workdir WORKDIR` turns it into a run like any other.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from train.support.errors import UserError, run_program

__all__ = ["main"]


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program.

    Args:
      args: Its flags; None for those of the process.

    Raises:
      UserError: The input is invalid.
      SystemExit: With status 1 if a loss is not finite.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument(
        "--max-seconds",
        type=_positive(float),
        help="stop with a checkpoint after this time, compilation included [seconds]",
    )
    parser.add_argument(
        "--checkpoint-every",
        type=_positive(int),
        help="steps between checkpoints; the default is that of the export [steps]",
    )
    parser.add_argument(
        "--finish",
        action="store_true",
        help="end the training at the last checkpoint: test the best weights and write the result",
    )
    parser.add_argument(
        "--bfloat16", action="store_true", help="round the final weights: half the size"
    )
    parser.add_argument(
        "--part-mib",
        type=_positive(int),
        help="split the final weights into files of this size",
    )
    flags = parser.parse_args(args)
    for package in ("numpy", "jax"):
        if importlib.util.find_spec(package) is None:
            raise UserError(f"a bundle needs {package}: python -m pip install 'jax>=0.7,<1'")
    try:
        from export.bundle.device.contents import Bundle
        from export.bundle.device.runner import run_bundle
        from train.engine.run_state import NonFiniteError
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith(("bijectors", "export", "tf_latentflow", "train")):
            raise
        raise UserError(f"the bundle lacks {error.name}: copy it again") from None

    bundle = Bundle(Path(__file__).parent)
    try:
        run_bundle(
            bundle,
            flags.out,
            max_seconds=flags.max_seconds,
            checkpoint_steps=flags.checkpoint_every,
            finish=flags.finish,
            bfloat16=flags.bfloat16,
            part_mib=flags.part_mib,
        )
    except NonFiniteError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def _positive(kind: type) -> type:
    def number(text: str) -> float:
        value = kind(text)
        if not value > 0:
            raise argparse.ArgumentTypeError(f"expected a number above 0; got {text}")
        return value

    return number


if __name__ == "__main__":
    run_program(main, "interrupted: the same command resumes this run")
