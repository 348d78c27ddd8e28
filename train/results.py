"""How the numbers of a split are printed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["results_table"]


def results_table(split: str, results: Mapping[str, Any]) -> str:
    """Returns the numbers of a split as lines of text, with the protocol that they follow.

    Args:
      split: Its name.
      results: As in `results.json`, of text.
    """
    bpc, stderr = results["bpc"], results["bpc_stderr"]
    samples = results["num_samples"]
    exact = results["kl_bpc"] is None
    how = "exact" if exact else f"{samples} importance sample{'s' if samples > 1 else ''}"
    rows = [
        ("bpc", f"{bpc:.4f} +- {stderr:.4f}", "-(log p(x|T) + log p(T)) / log 2 / sum(T + 1)"),
        ("reconstruction", _number(results["reconstruction_bpc"]), "-log p(x|z) of the ELBO"),
        ("KL", _number(results["kl_bpc"]), "KL(q(z|x) || p(z)) of the ELBO"),
        ("bpc given length", _number(results["bpc_given_length"]), "-log p(x|T) / log 2 / sum(T)"),
        ("sentences", str(results["num_sequences"]), how),
        ("unknown characters", str(results["num_unknown"]), "evaluated as the unknown symbol"),
    ]
    lines = [f"{name:<20}{value:>18}  {note}" for name, value, note in rows]
    return "\n".join([f"{split} split, bits per character", *lines])


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
