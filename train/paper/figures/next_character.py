"""Figure 3 of the paper, the discrete half: p(x[t] | x[:t]) of the baseline along a string."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from train.paper.job import Drawing, Job
from train.paper.markdown import markdown_table
from train.samples.prior_densities.passage import as_code, find_passage, visible
from train.samples.prior_densities.pictures import next_symbols_png

__all__ = ["draw", "next_probabilities"]

_PROBABLE = 0.1
_PREFIX = 16  # Characters before a step that its panel's title shows.


def draw(job: Job) -> Drawing:
    """Draws what the baseline expects at each character of a word of the validation split.

    The word is the one along which figure 6 shows the densities of a prior, by the rule of
    `find_passage`.

    Args:
      job: Its run `lstm` is the baseline on text.

    Raises:
      UserError: If the run or its data cannot be read.
    """
    model, dataset = job.load("lstm")
    passage = find_passage(dataset.valid)
    (x,) = dataset.encode(model.config, [passage.sentence])
    probabilities = next_probabilities(model, x)[passage.steps]
    symbols = ["<padding>", "<unknown>", *model.config.vocabulary]
    panels = [
        _panel(passage.sentence, t, x[t], values)
        for t, values in zip(passage.steps, probabilities, strict=True)
    ]
    titles = [_title(passage.sentence, panel) for panel in panels]
    picture = next_symbols_png(probabilities, symbols, x[passage.steps], titles)
    numbers = {**passage.numbers(), "symbols": symbols, "steps": panels}
    return Drawing(numbers, _markdown(passage.text, panels), picture)


def next_probabilities(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """`p(x[t] = v | x[:t], T)` of the baseline for ids `x [T]`, as `[T, V]`."""
    logits = model.logits(tf.constant(x[None]), tf.constant([len(x)]))
    return tf.nn.softmax(logits[0]).numpy()


def _panel(sentence: str, t: int, symbol: int, values: np.ndarray) -> dict[str, Any]:
    """Returns what the numbers say of a step."""
    known = values[values > 0].astype(float)
    return {
        "t": t,
        "character": sentence[t],
        "probability": float(values[symbol]),
        "entropy_bits": float(-(known * np.log2(known)).sum()),
        "num_probable": int((values > _PROBABLE).sum()),
        "probabilities": [float(value) for value in values],
    }


def _title(sentence: str, panel: dict[str, Any]) -> str:
    t = panel["t"]
    before = sentence[max(0, t - _PREFIX) : t]
    cut = "\N{HORIZONTAL ELLIPSIS}" if t > _PREFIX else ""
    return (
        f"{cut}{visible(before)} \N{RIGHTWARDS ARROW} {visible(sentence[t])}     "
        f"{panel['entropy_bits']:.2f} bits, {panel['num_probable']} over 10%"
    )


def _markdown(string: str, panels: list[dict[str, Any]]) -> str:
    """Returns the steps as a table."""
    title = (
        f"p(x[t] | x[:t]) of the LSTM along {as_code(string)}, a string of the validation split."
    )
    numbers = dict.fromkeys(("its probability", "entropy [bits]", "over 10%"), ">")
    rows = []
    for panel in panels:
        character = panel["character"]
        cells = [
            str(panel["t"]),
            as_code(character),
            f"{panel['probability']:.3f}",
            f"{panel['entropy_bits']:.2f}",
            str(panel["num_probable"]),
        ]
        rows.append(cells)
    return f"{title}\n\n{markdown_table({'t': '>', 'character': '<'} | numbers, rows)}\n"
