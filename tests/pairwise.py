"""Combinations of choices: every pair that goes together at least once, others nightly."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pytest

from tf_latentflow import ModelConfig
from tf_latentflow.config import ConfigError

__all__ = ["Combination", "combinations", "few", "parameters"]

Combination = tuple[str | None, ...]
# Of a stack a few layers do, and of a mixture a few components: they take less time to trace.
_FEW = {"mixture": "mixture:2", "conv": "conv:2", "attention": "attention:1", "window": "window:2"}


def few(table: Iterable[str]) -> tuple[str, ...]:
    """The names of a table, with a small size where the default would take long."""
    return tuple(_FEW.get(name, name) for name in table)


def combinations(
    choices: Mapping[str, Sequence[str | None]],
    fields: Callable[[Combination], Mapping[str, Any]],
) -> list[Combination]:
    """All combinations of one value for each choice whose `fields` describe a model.

    Raises:
      AssertionError: A value occurs in none of them, so that it would not be tested.
    """
    refusals = {c: _refusal(fields(c)) for c in itertools.product(*choices.values())}
    found = [c for c, refusal in refusals.items() if refusal is None]
    for k, (choice, values) in enumerate(choices.items()):
        for value in values:
            why = {refusal for c, refusal in refusals.items() if c[k] == value}
            assert None in why, f"no model has {choice}={value!r}: {'; '.join(sorted(why))}"
    return found


def parameters(
    found: Sequence[Combination], often: Sequence[Combination] | None = None
) -> list[object]:
    """Parameters of a test, one a combination; most of them nightly.

    Args:
      found: All combinations.
      often: Those of which a few, with every pair that occurs in them, are not nightly; None for
        all.
    """
    quick = _covering(found if often is None else often)
    return [
        pytest.param(c, marks=() if c in quick else pytest.mark.nightly, id="-".join(map(str, c)))
        for c in found
    ]


def _refusal(fields: Mapping[str, Any]) -> str | None:
    try:
        ModelConfig.from_name("af-af", **fields)
    except ConfigError as error:
        return str(error)
    return None


def _pairs_of(combination: Combination) -> set[tuple[tuple[int, str | None], ...]]:
    return set(itertools.combinations(enumerate(combination), 2))


def _covering(found: Sequence[Combination]) -> list[Combination]:
    """Combinations in which every pair occurs that occurs in any, chosen greedily."""
    left = set().union(*map(_pairs_of, found))
    quick = []
    while left:
        quick.append(max(found, key=lambda c: len(_pairs_of(c) & left)))
        left -= _pairs_of(quick[-1])
    return quick
