"""Pretrained models by name: those included in this package."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from tf_latentflow.pretrained.errors import PretrainedError
from tf_latentflow.pretrained.folder import CONFIG_FILE, Pretrained, read_folder

__all__ = ["find_pretrained", "list_pretrained", "pretrained_names", "pretrained_table"]

_MODELS = Path(__file__).with_name("models")


def pretrained_names() -> list[str]:
    """The names of the models included in this package, sorted."""
    return sorted(path.parent.name for path in _MODELS.glob(f"*/{CONFIG_FILE}"))


def find_pretrained(source: str | Path) -> Pretrained:
    """Finds a pretrained model by its name or by the path of its folder.

    A folder takes precedence, so that a name does not hide it.

    Raises:
      PretrainedError: There is no such model, or its folder is damaged.
    """
    source = str(source)
    folder = Path(os.path.expanduser(source))  # Unlike `Path.expanduser`, leaves `~nobody`.
    if (folder / CONFIG_FILE).is_file():
        return read_folder(folder)
    names = pretrained_names()
    if source in names:
        return read_folder(_MODELS / source)
    if (folder / "model.keras").is_file():
        raise PretrainedError(
            f"expected a pretrained model; got the folder of a run, {source!r}: python -m "
            "export.pretrained converts it"
        )
    near = difflib.get_close_matches(source, names, n=1)
    known = f" ({', '.join(names)})" if names else ""
    cure = f": did you mean {near[0]}?" if near else ""
    raise PretrainedError(
        f"expected the name of a pretrained model{known} or the folder of one; got {source!r}{cure}"
    )


def list_pretrained() -> list[Pretrained]:
    """The models included in this package, sorted by name.

    Raises:
      PretrainedError: One of them is damaged.
    """
    return [read_folder(_MODELS / name) for name in pretrained_names()]


def pretrained_table() -> str:
    """A Markdown table of the models included in this package, made from their cards."""
    if not pretrained_names():
        return "no pretrained model comes with this installation"
    head = ("name", "model", "data", "test", "steps", "weights")
    rows = [head, *(_row(found) for found in list_pretrained())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _row(found: Pretrained) -> tuple[str, ...]:
    card = found.card
    return (
        card.name,
        found.model.name,
        card.data or "-",
        "-" if card.test is None else str(card.test),
        "-" if card.steps is None else str(card.steps),
        f"{found.weights_bytes / 1e6:.1f} MB" + (", by URL" if found.weights_url else ""),
    )
