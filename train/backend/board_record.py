"""What a training measures, on TensorBoard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from train.backend.board import Board
from train.engine.loop.record import Record
from train.support.units import Unit

__all__ = ["BoardRecord"]


class BoardRecord(Record):
    """Writes windows and validations to event files."""

    def __init__(
        self, directory: Path, unit: Unit, show: Callable[[Board, int], None] | None = None
    ) -> None:
        """Opens nothing yet.

        Args:
          directory: Of the event files.
          unit: Of the losses.
          show: Writes what else a validation shows to the board.
        """
        self._directory = directory
        self._unit = unit
        self._show = show

    def begin(self, step: int) -> None:
        self._board = Board(self._directory, step)

    def window(self, step: int, scalars: Mapping[str, float]) -> None:
        self._board.scalars("train", step, scalars)

    def validation(self, step: int, report: Mapping[str, Any], best: bool) -> None:
        unit = self._unit.name
        names = (unit, f"reconstruction_{unit}", f"kl_{unit}")
        values = {f"loss/{name}": report[name] for name in names if report[name] is not None}
        self._board.scalars("valid", step, values)
        if self._show:
            self._show(self._board, step)
        self._board.flush()

    def flush(self) -> None:
        self._board.flush()

    def close(self) -> None:
        self._board.close()
