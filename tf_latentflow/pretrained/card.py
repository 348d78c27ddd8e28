"""The card of a trained model: what it is, what it was trained on, and how good it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

__all__ = ["Card", "Result", "card_markdown"]


@dataclass(frozen=True, kw_only=True)
class Result:
    """The likelihood of a test split under a model.

    Attributes:
      metric: What is measured, such as `bpc`.
      value: The number; less is better.
      stderr: Its standard error over the sequences; None for a single one.
      num_sequences: Number of sequences in the split.
      num_samples: Importance samples per sequence; None if the likelihood is exact.

    Example:
      >>> from tf_latentflow import Result
      >>> print(Result(metric="bpc", value=2.02, stderr=0.03, num_sequences=262, num_samples=50))
      2.0200 +- 0.0300 bpc
    """

    metric: str
    value: float
    stderr: float | None
    num_sequences: int
    num_samples: int | None

    def __str__(self) -> str:
        stderr = "" if self.stderr is None else f" +- {self.stderr:.4f}"
        return f"{self.value:.4f}{stderr} {self.metric.replace('_', ' ')}"


@dataclass(frozen=True, kw_only=True)
class Card:
    """The description of a trained model. Only the name is required; empty fields are not shown.

    Attributes:
      name: Name of the model.
      description: What it models, in one sentence.
      data: What it was trained on, and where the data come from.
      license: License of the data.
      command: The command that trains it.
      commit: Commit of this project at which it was trained.
      seed: Seed of the training.
      steps: Optimiser steps of the training.
      hours: Duration of the training.
      hardware: Machine of the training, including the CPU's instruction sets.
      date: Day on which the training ended, `YYYY-MM-DD`.
      test: Likelihood of the test split.
      samples: Texts, or paths of MIDI files in the model's folder.
      limits: What it cannot do, or should not be used for.

    Example:
      >>> from tf_latentflow import Card
      >>> card = Card(name="haiku", license="CC0")
      >>> Card.from_dict(card.to_dict()) == card
      True
    """

    name: str
    description: str = ""
    data: str = ""
    license: str = ""
    command: str = ""
    commit: str = ""
    seed: int | None = None
    steps: int | None = None
    hours: float | None = None
    hardware: str = ""
    date: str = ""
    test: Result | None = None
    samples: tuple[str, ...] = ()
    limits: str = ""

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dictionary; `from_dict` is its inverse."""
        return {**dataclasses.asdict(self), "samples": list(self.samples)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuilds a card from `to_dict`, also after a round trip through JSON.

        Raises:
          TypeError: A field is unknown, or the name is missing.
        """
        values = dict(values)
        if values.get("test") is not None:
            values["test"] = Result(**values["test"])
        values["samples"] = tuple(values.get("samples", ()))
        return cls(**values)


def card_markdown(card: Card) -> str:
    """A card as a page of Markdown."""
    parts = [f"# {card.name}"]
    if card.description:
        parts.append(card.description)
    rows = [f"| {name} | {value} |" for name, value in _rows(card) if value]
    if rows:
        parts.append("\n".join(["| | |", "|---|---|", *rows]))
    if card.samples:
        # Indented: no character of a sample is Markdown there.
        samples = [f"    {sample}" for sample in card.samples]
        parts += ["## Samples", "\n".join(samples)]
    if card.limits:
        parts += ["## Limits", card.limits]
    return "\n\n".join(parts) + "\n"


def _rows(card: Card) -> Iterator[tuple[str, str]]:
    yield "data", card.data
    yield "license of the data", card.license
    if card.test is not None:
        count = f"{card.test.num_sequences} sequences of the test split"
        number = card.test.num_samples
        samples = f"{number} importance sample{'' if number == 1 else 's'} each"
        yield "test", f"{card.test}, {count}, {'exact' if number is None else samples}"
    yield "command", f"`{card.command}`" if card.command else ""
    yield "commit", card.commit
    yield "seed", "" if card.seed is None else str(card.seed)
    yield "optimiser steps", "" if card.steps is None else str(card.steps)
    yield "hours of training", "" if card.hours is None else f"{card.hours:.2f}"
    yield "hardware", card.hardware
    yield "date", card.date
