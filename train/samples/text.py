"""Samples of text, the share of known words in them, and what TensorBoard shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.util import find_spec
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tf_latentflow import ModelConfig
from tf_latentflow.interfaces.batches import draw_sequences, padded
from tf_latentflow.vocabulary import Vocabulary
from train.backend.board import Board
from train.data.text.config import TextConfig
from train.data.text.corpus import Corpus
from train.engine.run_files import RunFiles
from train.samples.flags import SampleConfig
from train.samples.given import Given
from train.samples.printed import NUM_TEXTS
from train.samples.prior_densities.densities import has_step_densities, prior_densities
from train.samples.prior_densities.passage import find_passage
from train.samples.prior_densities.pictures import densities_png
from train.samples.sequences import make_sequences
from train.support.files import write_text

__all__ = ["TextSamples", "share_of_known_words"]

_SHOWN = 5
_GRID_SIZE = 64
_LOOKED_AT = 10_000  # Sentences among which there is a word to draw.


def share_of_known_words(samples: Sequence[str], train: Iterable[str]) -> float:
    """Returns the share of the tokens (by whitespace) of `samples` that occur in `train`."""
    words = [word for text in samples for word in text.split()]
    wanted = set(words)  # The words of all of `train` may be too many for memory.
    known = {word for text in train for word in wanted.intersection(text.split())}
    return sum(word in known for word in words) / len(words) if words else 0.0


class TextSamples:
    """Samples of text, one per line. A `train.samples.kinds.Samples`."""

    def show(
        self, model_config: ModelConfig, valid: Sequence[np.ndarray], config: TextConfig
    ) -> Callable[[keras.Model, Board, int], None]:
        """Returns a function that writes samples and reconstructions to TensorBoard.

        With two-dimensional latents that do not depend on later ones, and if matplotlib is
        installed, it also draws the prior's densities along a word.
        """
        vocabulary = Vocabulary(model_config.vocabulary)
        x, lengths = padded(list(valid[:_SHOWN]))
        passage = None
        if has_step_densities(model_config) and find_spec("matplotlib"):
            passage = find_passage([vocabulary.decode(ids) for ids in valid[:_LOOKED_AT]])
        seed = config.seed  # The same at every call, so that only the model changes.

        def show(model: keras.Model, board: Board, step: int) -> None:
            samples = model.sample_texts(_SHOWN, seed=seed)
            board.text(step, "samples", ["sample"], [[text] for text in samples])
            if model.config.is_flow:
                again = model.reconstruct(x, lengths, tf.constant([seed, 0], tf.int32)).numpy()
                pairs = [
                    _texts(model, [a[:t], b[:t]]) for a, b, t in zip(x, again, lengths, strict=True)
                ]
                board.text(step, "reconstructions", ["sentence", "reconstruction"], pairs)
            if passage:
                word = prior_densities(
                    model, valid[passage.index], passage.steps, seed=seed, size=_GRID_SIZE
                )
                board.images(step, "prior_densities", [densities_png(word, passage.text)])

        return show

    def write(
        self,
        model: keras.Model,
        dataset: Corpus,
        config: TextConfig,
        run: RunFiles,
        progress: Callable[[int, int], None],
    ) -> dict[str, Any]:
        drawn = draw_sequences(model, NUM_TEXTS, seed=config.seed, progress=progress)
        samples = _texts(model, drawn)
        write_text(run.texts_file, "\n".join(samples) + "\n")
        return {"share_of_known_words": share_of_known_words(samples, dataset.train)}

    def sample(
        self,
        model: keras.Model,
        flags: SampleConfig,
        config: TextConfig,
        given: Given,
        progress: Callable[[int, int], None],
    ) -> Iterator[str]:
        for batch in make_sequences(model, flags, given, progress):
            yield from (_with_given(text, flags) for text in _texts(model, batch))


def _with_given(text: str, flags: SampleConfig) -> str:
    """A text with what was given as the user wrote it: the model may not know all characters."""
    if flags.prompt is not None:
        return flags.prompt + text[len(flags.prompt) :]
    if flags.fill is not None:
        pairs = zip(flags.fill, text, strict=True)
        return "".join(new if old == flags.blank else old for old, new in pairs)
    return text


def _texts(model: keras.Model, drawn: Iterable[np.ndarray]) -> list[str]:
    vocabulary = Vocabulary(model.config.vocabulary)
    return [vocabulary.decode_drawn(ids) for ids in drawn]
