"""The log of a bundle's run, step by step, as lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from train.engine.loop.record import Record
from train.engine.step_terms import StepTerms
from train.support.files import write_text

__all__ = ["RunLog"]


class RunLog(Record):
    """A file with one line for each step and each validation, `{"step": steps made, ...}`."""

    def __init__(self, file: Path) -> None:
        """Touches no file."""
        self._file, self._lines = file, []

    def begin(self, step: int) -> None:
        file = self._file
        content = file.read_bytes() if file.exists() else b""
        lines = content.decode(errors="replace").split("\n")  # It may be damaged.
        kept = [line for line in lines if _step_of(line) <= step]
        write_text(file, "".join(f"{line}\n" for line in kept))

    def steps(
        self,
        first: int,
        terms: Sequence[StepTerms],
        kl_weights: Sequence[float],
        rates: Sequence[float],
    ) -> None:
        for i, made in enumerate(terms):
            values = {**made._asdict(), "kl_weight": kl_weights[i], "learning_rate": rates[i]}
            self._write(first + i + 1, **values)

    def validation(self, step: int, seconds: float, report: Mapping[str, Any], best: bool) -> None:
        self._write(step, seconds=seconds, valid=report, best=best)

    @property
    def validations(self) -> list[dict[str, Any]]:
        """The validations so far: their step, seconds, report, and whether they were the best."""
        self.flush()
        lines = map(json.loads, self._file.read_text(encoding="utf-8").splitlines())
        return [line for line in lines if "valid" in line]

    def flush(self) -> None:
        with open(self._file, "a", encoding="utf-8") as file:
            file.writelines(self._lines)
        self._lines = []

    def _write(self, step: int, **values: Any) -> None:
        self._lines.append(json.dumps({"step": step, **values}) + "\n")


def _step_of(line: str) -> float:
    """The step of a line; infinite for an incomplete line."""
    try:
        return json.loads(line)["step"]
    except (ValueError, KeyError, TypeError):
        return float("inf")
