"""The speed of a run, the time left, and the line that reports them."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from tf_latentflow.terms import Terms
from train.engine.step_terms import StepTerms
from train.support.screen import Screen
from train.support.units import Unit

__all__ = ["Progress", "Window", "format_seconds", "show_split_progress"]

_RECENT_WINDOWS = 10
_SPLIT_SECONDS = 10.0


def format_seconds(seconds: float) -> str:
    """Returns a duration as `[H:]MM:SS`."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def show_split_progress(screen: Screen, what: str) -> Callable[[int, int], None]:
    """Returns a function that shows the progress through sequences, evaluated or drawn.

    Args:
      screen: Shows it on a terminal. Otherwise a line is printed to standard error every ten
        seconds.
      what: The work, as in `Screen.now`.
    """
    first: tuple[float, int] | None = None
    last = 0.0
    screen.now(what)

    def show(done: int, total: int) -> None:
        nonlocal first, last
        screen.now(what, done, total, f"{done}/{total}")
        if screen.moves or screen.is_silent:
            return
        now = time.perf_counter()
        if first is None:  # The first batch traces, and so says nothing about the others.
            first, last = (now, done), now
        elif now - last >= _SPLIT_SECONDS:
            last = now
            rate = (done - first[1]) / (now - first[0])
            eta = format_seconds((total - done) / rate)
            print(f"{what} {done}/{total}  ETA {eta}", file=sys.stderr, flush=True)

    return show


class Window(NamedTuple):
    """Statistics of consecutive steps.

    Attributes:
      terms: Means over the steps, nats per symbol.
      log_length: The same, of log p(T).
      gradient_norm: Mean over the steps.
      rate: Symbols per second; None if every step was compiled with its call.
      kl_weight: Weight of the KL term in the last step.
      learning_rate: Learning rate of the last step.
    """

    terms: Terms
    log_length: float
    gradient_norm: float
    rate: float | None
    kl_weight: float
    learning_rate: float


class Progress:
    """Measures the speed of steps and validations, in windows of consecutive steps.

    Time spent on tracing or compiling is not counted, because it is spent only once.
    """

    def __init__(
        self, unit: Unit, has_latents: bool, operations_per_symbol: float | None = None
    ) -> None:
        """Starts the first window.

        Args:
          unit: Unit of the losses that are shown.
          has_latents: False for a model whose KL term is 0.
          operations_per_symbol: Floating-point operations of the matrix products of a step, per
            symbol, to show their rate; None to show no rate.
        """
        self._operations = operations_per_symbol
        self._unit = unit
        self._has_latents = has_latents
        self._windows: deque[tuple[float, int]] = deque(maxlen=_RECENT_WINDOWS)
        self._validations: list[float] = []
        self.start_window()

    def start_window(self) -> None:
        """Starts a window."""
        self._start = time.perf_counter()
        self._excluded = 0.0
        self._steps = 0
        self._terms: list[StepTerms] = []

    def count_steps(self, steps: int) -> None:
        """Counts steps that were started within the measured time."""
        self._steps += steps

    def add_terms(self, terms: Sequence[StepTerms]) -> None:
        """Adds the reported numbers of some steps."""
        self._terms += terms

    def pause(self, seconds: float) -> None:
        """Excludes time from the window in which something else ran."""
        self._excluded += seconds

    def add_validation(self, seconds: float) -> None:
        """Adds a validation."""
        self.pause(seconds)
        self._validations.append(seconds)

    def end_window(self, kl_weight: float, learning_rate: float) -> Window:
        """Starts the next window, and returns this one.

        Args:
          kl_weight: Weight of the KL term in the last step.
          learning_rate: Learning rate of the last step.
        """
        steps = StepTerms(*np.array(self._terms).T)  # Each field an array, of a number per step.
        terms = Terms(*(_mean(getattr(steps, name) / steps.symbols) for name in Terms._fields))
        seconds = time.perf_counter() - self._start - self._excluded
        rate = None
        if self._steps:
            rate = _mean(steps.symbols) * self._steps / seconds
            self._windows.append((seconds, self._steps))
        self.start_window()
        return Window(
            terms=terms,
            log_length=_mean(steps.log_length / steps.symbols),
            gradient_norm=_mean(steps.gradient_norm),
            rate=rate,
            kl_weight=kl_weight,
            learning_rate=learning_rate,
        )

    def remaining(self, steps: int, validations: int) -> float | None:
        """Returns the estimated seconds for some steps and validations, or None."""
        if not self._windows:
            return None
        seconds, counted = (sum(column) for column in zip(*self._windows, strict=True))
        # The first validation includes tracing, so it only counts until the next one.
        validation = float(np.mean(self._validations[1:] or self._validations or [0.0]))
        return seconds / counted * steps + validation * validations

    def line(self, window: Window, step: int, total: int, eta: float | None) -> str:
        """Returns the progress line after `step` of `total` steps, with `eta` seconds left."""
        unit, terms = self._unit, window.terms
        loss = f"{self._bound(window):.3f} {unit.label}"
        weight = ""
        if self._has_latents:
            reconstruction, kl = (
                unit.per_symbol(value, 1) for value in (-terms.reconstruction, terms.kl)
            )
            loss += f" (reconstruction {reconstruction:.3f}, KL {kl:.3f})"
            weight = f"KL weight {window.kl_weight:.2f}  "
        line = (
            f"step {step:{len(str(total))}d}/{total}  {loss}  {weight}"
            f"learning rate {window.learning_rate:.1e}  {self._pace(window, eta)}"
        )
        if self._operations and window.rate is not None:
            line += f"  {window.rate * self._operations / 1e12:.3g} TFLOP/s in matrix products"
        return line

    def detail(self, window: Window, eta: float | None) -> str:
        """Returns the numbers of a window to show beside a progress bar."""
        return f"{self._bound(window):.3f} {self._unit.label}  {self._pace(window, eta)}"

    def scalars(self, window: Window) -> dict[str, float]:
        """Returns the values of a window for TensorBoard, by tag.

        There are two groups of tags because TensorBoard expands two groups and collapses the
        others.
        """
        unit, terms = self._unit, window.terms
        scalars = {
            f"loss/{unit.name}": self._bound(window),
            f"loss/length_{unit.name}": unit.per_symbol(-window.log_length, 1),
            # The loss of the gradient: the KL term is weighted, and the length has no gradient.
            "loss/objective_nats": window.kl_weight * terms.kl - terms.reconstruction,
            "training/gradient_norm": window.gradient_norm,
            "training/learning_rate": window.learning_rate,
        }
        if self._has_latents:
            scalars[f"loss/{unit.reconstruction}"] = unit.per_symbol(-terms.reconstruction, 1)
            scalars[f"loss/{unit.kl}"] = unit.per_symbol(terms.kl, 1)
            scalars["training/kl_weight"] = window.kl_weight
        if window.rate is not None:
            scalars[f"training/{unit.symbols}_per_second"] = window.rate
        return scalars

    def _bound(self, window: Window) -> float:
        """The whole bound, with KL weight 1, in the unit."""
        return self._unit.per_symbol(-(window.terms.log_prob + window.log_length), 1)

    def _pace(self, window: Window, eta: float | None) -> str:
        """The speed of the run and the time left."""
        rate = "compiling"
        if window.rate is not None:
            rate = f"{window.rate:.0f} {self._unit.symbols}/s"
        return f"{rate}  ETA {'--' if eta is None else format_seconds(eta)}"


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values))
