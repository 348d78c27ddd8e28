"""Prints the samples of a finished run; needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from train.engine.run_files import RunFiles

__all__ = ["NUM_TEXTS", "PRINTERS"]

NUM_TEXTS = 200  # Samples that a finished run writes.
_NUM_SHOWN = 10  # Samples that are printed.


def _print_texts(run: RunFiles, numbers: dict[str, Any]) -> None:
    share = numbers["share_of_known_words"]
    print(f"{'known words':<20}{share:>18.3f}  of the words in {NUM_TEXTS} samples")
    print(f"\n{_NUM_SHOWN} samples:")
    file = run.texts_file
    samples = f"({file} is gone)"
    if file.exists():
        samples = file.read_text(encoding="utf-8", errors="replace")  # It may be damaged.
    for sample in samples.split("\n")[:_NUM_SHOWN]:
        print(f"  {sample}")


def _print_pieces(run: RunFiles, numbers: dict[str, Any]) -> None:
    samples, data = numbers["samples"], numbers["data"]
    print(f"\n{'':<20}{'samples':>9}{'data':>9}")
    for key, label in (("notes_per_step", "notes per step"), ("held_share", "notes held")):
        print(f"{label:<20}{samples[key]:>9.3f}{data[key]:>9.3f}")
    if run.samples_folder.is_dir():
        print(f"\nsamples, MIDI files and pictures: {run.samples_folder}")


PRINTERS: Mapping[str, Callable[[RunFiles, dict[str, Any]], None]] = {
    "text": _print_texts,
    "music": _print_pieces,
}
"""By the kind of data: prints the samples from a run's files and the section of its results."""
