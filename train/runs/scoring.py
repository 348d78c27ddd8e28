"""The bits of lines of text under a trained model, window by window."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from bijectors import Execution
from tf_latentflow import Noise, Vocabulary
from tf_latentflow.vocabulary import UNKNOWN_ID
from train.data.text.line_stream import Line
from train.engine.buckets import padded
from train.runs.saved_model import load_model
from train.runs.saved_run import SavedRun
from train.support.errors import UserError
from train.support.screen import Screen
from train.support.units import counted

__all__ = ["Score", "Scorer"]

_WINDOW = 1024  # Lines in memory; lines of similar length are scored together.
_STEPS = 32  # Batches are padded to multiples of this length, so that there are few shapes.
_BOUND_SAMPLES = 10  # Maximum number of samples for the bits of characters.
_SECONDS = 10.0  # Time between lines of progress.


class Score(NamedTuple):
    """The numbers of one line; nan or empty if the line has no probability.

    Attributes:
      line: Line number, from 1.
      characters: Number of characters.
      unknown: Number of characters that the model does not know.
      bits: `-(log p(x|T) + log p(T)) / log 2`.
      bits_per_character: `bits` divided by characters + 1.
      length_bits: `-log p(T) / log 2`.
      character_bits: Contribution of each character to the bound; None if not requested.
    """

    line: int
    characters: int
    unknown: int
    bits: float
    bits_per_character: float
    length_bits: float
    character_bits: list[float] | None


class Scorer:
    """Scores lines of text.

    Args:
      run: A finished run on text.
      num_samples: Importance samples per line.
      seed: Seed of the samples.
      batch_size: Lines per batch.
      per_character: Whether to add the bits of each character.

    Raises:
      UserError: The model's file is damaged.
    """

    def __init__(
        self, run: SavedRun, num_samples: int, seed: int, batch_size: int, per_character: bool
    ) -> None:
        self._model = load_model(run.source)
        self._compile_loops = run.config.compile_loops
        self._vocabulary = Vocabulary(run.model_config.vocabulary)
        self._num_samples = num_samples
        self._seed = tf.constant([seed, 0], tf.int32)
        longest = run.model_config.max_length
        self._log_lengths = (
            self._model.length_model.log_prob(tf.range(longest + 1)).numpy().tolist()
        )
        self._batch_size = batch_size
        self._per_character = per_character
        self._num_blank = self._num_too_long = self._num_unknown = 0

    def score(self, lines: Iterable[Line], screen: Screen) -> Iterator[Score]:
        """Yields the numbers of each line, in order."""
        done, last = 0, time.perf_counter()
        screen.now("scoring")
        for window in _windows(lines):
            full = len(window) == _WINDOW
            if not done:  # Compiling takes longer than a few lines do.
                self._model.execution = Execution(self._compile_loops and full)
                self._compute = tf.function(self._terms, autograph=False, reduce_retracing=True)
            yield from self._score_window(window, full)
            done += len(window)
            screen.now("scoring", detail=counted(done, "line"))
            if not screen.moves and time.perf_counter() - last > _SECONDS:
                last = time.perf_counter()
                print(f"scoring: {counted(done, 'line')}", file=sys.stderr, flush=True)

    def remark(self) -> str | None:
        """Summary of the characters and lines that the model could not read; None for none."""
        longest = self._model.config.max_length
        counts = (
            (self._num_unknown, "character", "unknown to the model"),
            (self._num_too_long, "line", f"of more than {longest} characters without a score"),
            (self._num_blank, "blank line", ""),
        )
        parts = (f"{counted(count, what)} {more}".rstrip() for count, what, more in counts if count)
        return ", ".join(parts) or None

    def _score_window(self, lines: Sequence[Line], full: bool) -> list[Score]:
        encoded = [self._vocabulary.encode(line.text or "") for line in lines]
        terms: dict[int, tuple[float, np.ndarray]] = {}
        order = sorted((i for i, x in enumerate(encoded) if len(x)), key=lambda i: len(encoded[i]))
        for start in range(0, len(order), self._batch_size):
            indices = np.array(order[start : start + self._batch_size])
            terms |= self._score_batch(lines, encoded, indices, full)
        return [
            self._score_of(line, x, terms.get(i))
            for i, (line, x) in enumerate(zip(lines, encoded, strict=True))
        ]

    def _score_batch(
        self, lines: Sequence[Line], encoded: Sequence[np.ndarray], indices: np.ndarray, full: bool
    ) -> dict[int, tuple[float, np.ndarray]]:
        """Log p(x | T), and the contribution of each character to its bound, by index."""
        rows = self._batch_size if full else len(indices)
        num_steps = -(-len(encoded[indices[-1]]) // _STEPS) * _STEPS
        batch = padded(encoded, indices, rows, num_steps)
        numbers = np.zeros([rows], np.int64)
        numbers[: len(indices)] = [lines[i].number for i in indices]
        noise = Noise(self._seed, tf.constant(numbers))
        log_prob, steps = self._compute(tf.constant(batch.x), tf.constant(batch.lengths), noise)
        values = zip(indices.tolist(), log_prob.numpy(), steps.numpy(), strict=False)
        return {i: (float(a), b[: len(encoded[i])]) for i, a, b in values}

    def _terms(self, x: tf.Tensor, lengths: tf.Tensor, noise: Noise) -> tuple[tf.Tensor, tf.Tensor]:
        log_prob = self._model.estimate(x, lengths, self._num_samples, noise).log_prob
        if not self._per_character:
            return log_prob, log_prob[:, None]
        samples = min(self._num_samples, _BOUND_SAMPLES)
        by_step = self._model.elbo_by_step(x, lengths, samples, noise.fold(0))
        return log_prob, tf.reduce_mean(by_step.log_prob, axis=0)

    def _score_of(self, line: Line, x: np.ndarray, terms: tuple[float, np.ndarray] | None) -> Score:
        self._num_too_long += line.text is None
        self._num_blank += line.text == ""
        if terms is None:
            nothing = [] if self._per_character else None
            return Score(line.number, line.length, 0, math.nan, math.nan, math.nan, nothing)
        log_prob, steps = terms
        unknown = int(np.sum(x == UNKNOWN_ID))
        self._num_unknown += unknown
        length_bits = -self._log_lengths[len(x)] / math.log(2)
        bits = length_bits - log_prob / math.log(2)
        character_bits = (-steps / math.log(2)).tolist() if self._per_character else None
        return Score(
            line.number, len(x), unknown, bits, bits / (len(x) + 1), length_bits, character_bits
        )


def _windows(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Yields lines in windows; if they end with an error, first those before it."""
    window: list[Line] = []
    error = None
    try:
        for line in lines:
            window.append(line)
            if len(window) == _WINDOW:
                yield window
                window = []
    except UserError as caught:
        error = caught
    if window:
        yield window
    if error is not None:
        raise error
