"""Combinations of choices: every pair that goes together at least once, others nightly."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from tf_latentflow import ModelConfig
from tf_latentflow.config import ConfigError

__all__ = ["Combination", "combinations", "parameters"]

Combination = tuple[str | None, ...]


def combinations(
    choices: Mapping[str, Sequence[str | None]],
    fields: Callable[[Combination], Mapping[str, Any]],
) -> list[Combination]:
    """All combinations of one value for each choice whose `fields` describe a model."""
    return [c for c in itertools.product(*choices.values()) if _is_model(fields(c))]


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


def _is_model(fields: Mapping[str, Any]) -> bool:
    try:
        ModelConfig.from_name("af-af", **fields)
    except ConfigError:
        return False
    return True


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
