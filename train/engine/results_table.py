"""Prints the results of a split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from train.support.units import Unit, counted

__all__ = ["results_table"]


def results_table(split: str | None, results: Mapping[str, Any], unit: Unit) -> str:
    """Returns the results of a split as lines of text, each with its definition.

    Args:
      split: Its name; None for data without splits.
      results: As in `results.json`.
      unit: Unit of the results.
    """
    samples, stderr = results["num_samples"], results[unit.stderr]
    exact = results[unit.kl] is None
    how = "exact" if exact else counted(samples, "importance sample")
    per = "" if unit.nats == 1 else " / log 2"
    label = unit.label
    rows = [
        (
            label,
            f"{results[unit.name]:.4f}" + ("" if stderr is None else f" +- {stderr:.4f}"),
            f"-(log p(x|T) + log p(T)){per} / sum(T + 1)",
        ),
        ("reconstruction", _number(results[unit.reconstruction]), "-log p(x|z) of the ELBO"),
        ("KL", _number(results[unit.kl]), "KL(q(z|x) || p(z)) of the ELBO"),
        (
            "given length" if unit.nats == 1 else f"{label} given length",
            f"{results[unit.given_length]:.4f}",
            f"-log p(x|T){per} / sum(T)",
        ),
        (unit.sequences, str(results["num_sequences"]), how),
        *(
            (what.format(unit.sequences), str(results[key]), note)
            for key, (what, note) in _COUNTS.items()
            if key in results
        ),
    ]
    lines = [f"{label:<20}{value:>18}  {note}" for label, value, note in rows]
    part = "the whole dataset" if split is None else f"{split} split"
    return "\n".join([f"{part}, {unit.title}", *lines])


# Rows that only some data has; {} stands for what a sequence is.
_COUNTS = {
    "num_unknown": ("unknown characters", "evaluated as the unknown symbol"),
    "num_too_long": ("{} left out", "longer than the maximum length of the model"),
}


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
