"""Texts and piano rolls made from given ones: continued, filled in, varied, interpolated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tf_latentflow.interfaces.data_interface import DataInterface
from tf_latentflow.interfaces.given_batches import (
    GivenBatches,
    complete_batches,
    fill_in_batches,
    vary_batches,
)

__all__ = ["GivenInterface"]


class GivenInterface(DataInterface):
    """Methods of a model that take and return strings or piano rolls; see `DataInterface`.

    Each is `complete`, `fill_in`, `vary` or `interpolate` for a list of sequences, where the
    formulas are. A given character or note stays as it was given, known to the model or not.

    All raise ValueError as `log_prob` does, and if an argument is invalid or the model cannot do
    it.
    """

    interpolate: Callable[..., Any]  # Of the model that this is a base of.

    def complete_texts(
        self,
        texts: Sequence[str],
        lengths: int | Sequence[int] | None = None,
        num_particles: int = 64,
        temperature: float = 1.0,
        seed: int | None = None,
    ) -> list[str]:
        """Continues texts, as `complete` does.

        Args:
          texts: The beginnings, each of at least one character.
          lengths: Number of characters, of all or of each; None draws it.
          num_particles: More are slower, and closer to the model's distribution.
          temperature: See `complete`.
          seed: See the class.
        """
        self._vocabulary()
        made = self._completed(texts, lengths, num_particles, temperature, seed)
        return [text + self._text(ids)[len(text) :] for text, ids in zip(texts, made, strict=True)]

    def complete_rolls(
        self,
        rolls: Sequence[np.ndarray],
        lengths: int | Sequence[int] | None = None,
        num_particles: int = 64,
        temperature: float = 1.0,
        seed: int | None = None,
    ) -> list[np.ndarray]:
        """Continues piano rolls, uint8 `[T, V]`; arguments as for `complete_texts`."""
        self._check_music()
        made = self._completed(rolls, lengths, num_particles, temperature, seed)
        return [roll.astype(np.uint8) for roll in made]

    def fill_in_texts(
        self,
        texts: Sequence[str],
        blank: str = "_",
        num_particles: int = 32,
        sweeps: int = 8,
        temperature: float = 1.0,
        seed: int | None = None,
    ) -> list[str]:
        """Draws the characters of texts that are missing, as `fill_in` does.

        Args:
          texts: Texts with blanks.
          blank: The character that stands for a missing one.
          num_particles: See `fill_in`.
          sweeps: See `fill_in`.
          temperature: See `fill_in`.
          seed: See the class.
        """
        self._vocabulary()
        if len(blank) != 1:
            raise ValueError(f"expected a blank of one character; got {blank!r}")
        given = [np.array([c != blank for c in text], bool) for text in texts]
        made = self._filled_in(texts, given, num_particles, sweeps, temperature, seed)
        return [
            "".join(
                new if old == blank else old for old, new in zip(text, self._text(ids), strict=True)
            )
            for text, ids in zip(texts, made, strict=True)
        ]

    def fill_in_rolls(
        self,
        rolls: Sequence[np.ndarray],
        given: Sequence[np.ndarray],
        num_particles: int = 32,
        sweeps: int = 8,
        temperature: float = 1.0,
        seed: int | None = None,
    ) -> list[np.ndarray]:
        """Draws what is missing in piano rolls, uint8 `[T, V]`; see `fill_in_texts`.

        Args:
          rolls: Piano rolls; values that are not given have no effect.
          given: Bool `[T, V]` for each roll: what is kept. With `emission="made"`, the given notes
            of a step must be its highest.
          num_particles: See `fill_in`.
          sweeps: See `fill_in`.
          temperature: See `fill_in`.
          seed: See the class.
        """
        self._check_music()
        made = self._filled_in(rolls, given, num_particles, sweeps, temperature, seed)
        return [roll.astype(np.uint8) for roll in made]

    def vary_texts(
        self,
        texts: Sequence[str],
        amount: float,
        temperature: float = 1.0,
        seed: int | None = None,
    ) -> list[str]:
        """Varies texts through their latents, as `vary` does.

        Args:
          texts: The texts.
          amount: From 0, a reconstruction, to 1, a new sample of the same length.
          temperature: See `vary`.
          seed: See the class.
        """
        self._vocabulary()
        return [self._text(ids) for ids in self._varied(texts, amount, temperature, seed)]

    def vary_rolls(
        self,
        rolls: Sequence[np.ndarray],
        amount: float,
        temperature: float = 1.0,
        seed: int | None = None,
    ) -> list[np.ndarray]:
        """Varies piano rolls, uint8 `[T, V]`; arguments as for `vary_texts`."""
        self._check_music()
        made = self._varied(rolls, amount, temperature, seed)
        return [roll.astype(np.uint8) for roll in made]

    def interpolate_texts(self, first: str, last: str, steps: int = 5) -> list[str]:
        """`steps` texts, from the reconstruction of one to that of the other, as `interpolate`."""
        self._vocabulary()
        return [self._text(ids) for ids in self._interpolated(first, last, steps)]

    def interpolate_rolls(
        self, first: np.ndarray, last: np.ndarray, steps: int = 5
    ) -> list[np.ndarray]:
        """Piano rolls, uint8 `[T, V]`; see `interpolate_texts`."""
        self._check_music()
        return [roll.astype(np.uint8) for roll in self._interpolated(first, last, steps)]

    def _completed(self, sequences: Sequence[Any], *arguments: Any) -> list[np.ndarray]:
        return _in_order(complete_batches(self, self._encode(sequences), *arguments))

    def _filled_in(self, sequences: Sequence[Any], *arguments: Any) -> list[np.ndarray]:
        self._check_latents("fill in")
        return _in_order(fill_in_batches(self, self._encode(sequences), *arguments))

    def _varied(self, sequences: Sequence[Any], *arguments: Any) -> list[np.ndarray]:
        self._check_latents("vary")
        return _in_order(vary_batches(self, self._encode(sequences), *arguments))

    def _interpolated(self, first: Any, last: Any, steps: int) -> list[np.ndarray]:
        self._check_latents("interpolate")
        a, b = self._encode([first, last])
        x, lengths = self.interpolate(a, len(a), b, len(b), steps)
        return [row[:size] for row, size in zip(x.numpy(), lengths.numpy(), strict=True)]


def _in_order(batches: GivenBatches) -> list[np.ndarray]:
    """What is made of sequences, in their order."""
    made = {i: row for indices, rows in batches for i, row in zip(indices, rows, strict=True)}
    return [made[i] for i in sorted(made)]
