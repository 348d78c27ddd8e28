"""Text as a kind of data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from train.errors import UserError
from train.files import write_text
from train.splits import SPLITS
from train.text.config import TextConfig
from train.text.corpus import Corpus, load_corpus
from train.units import BITS_PER_CHARACTER

if TYPE_CHECKING:
    import keras
    import numpy as np

    from tf_latentflow import ModelConfig
    from train.board import Board
    from train.sample import SampleConfig

__all__ = ["MAX_LENGTH", "TextTask"]

MAX_LENGTH = 288  # Characters of a sentence, as in section 6.1 of the paper.
_NUM_SAMPLES = 200
_NUM_SHOWN = 10


class TextTask:
    """Sentences, a character a step. A `train.task.Task`."""

    config = TextConfig
    unit = BITS_PER_CHARACTER

    def load(self, config: TextConfig) -> Corpus:
        return load_corpus(config.dataset, config.data_dir, MAX_LENGTH)

    def describe(self, dataset: Corpus) -> str:
        splits = {name: getattr(dataset, name) for name in SPLITS}
        sizes = ", ".join(
            f"{name} {len(texts)} sentences ({sum(map(len, texts))} characters)"
            for name, texts in splits.items()
        )
        filtered = sum(dataset.num_filtered.values())
        note = f"; {filtered} over {MAX_LENGTH} characters left out" if filtered else ""
        return f"dataset {dataset.name}: {sizes}{note}"

    def model_fields(self, dataset: Corpus) -> dict[str, Any]:
        from tf_latentflow.vocabulary import Vocabulary

        vocabulary = Vocabulary.from_texts(dataset.train)
        return {
            "vocab_size": vocabulary.size,
            "vocabulary": tuple(vocabulary.characters),
            "max_length": MAX_LENGTH,
        }

    def encode(self, model_config: ModelConfig, sequences: Sequence[str]) -> list[np.ndarray]:
        from tf_latentflow.vocabulary import Vocabulary

        vocabulary = Vocabulary(model_config.vocabulary)
        return [vocabulary.encode(text) for text in sequences]

    def split_numbers(
        self, sequences: Sequence[str], encoded: Sequence[np.ndarray]
    ) -> dict[str, Any]:
        from tf_latentflow.vocabulary import UNKNOWN_ID

        return {"num_unknown": sum(int((x == UNKNOWN_ID).sum()) for x in encoded)}

    def show(
        self, model_config: ModelConfig, valid: Sequence[np.ndarray], config: TextConfig
    ) -> Callable[[keras.Model, Board, int], None]:
        from train.text.samples import text_show

        return text_show(model_config, valid, config.seed)

    def leave_samples(
        self, model: keras.Model, dataset: Corpus, config: TextConfig, workdir: Path
    ) -> dict[str, Any]:
        from train.text.samples import draw_texts, share_of_known_words

        samples = draw_texts(model, _NUM_SAMPLES, seed=config.seed)
        write_text(workdir / "samples.txt", "\n".join(samples) + "\n")
        return {"share_of_known_words": share_of_known_words(samples, dataset.train)}

    def print_samples(self, workdir: Path, numbers: dict[str, Any]) -> None:
        share = numbers["share_of_known_words"]
        print(f"{'known words':<20}{share:>18.3f}  of the words in {_NUM_SAMPLES} samples")
        print(f"\n{_NUM_SHOWN} samples:")
        samples = (workdir / "samples.txt").read_text(encoding="utf-8").split("\n")
        for sample in samples[:_NUM_SHOWN]:
            print(f"  {sample}")

    def check_sample_flags(self, flags: SampleConfig, model: dict[str, Any]) -> None:
        for name in ("out", "prime", "amount"):
            if getattr(flags, name) is not None:
                raise UserError(f"--{name} is for models of music; this one writes text")

    def sample(self, model: keras.Model, flags: SampleConfig, config: TextConfig) -> None:
        from train.text.samples import draw_texts

        texts = draw_texts(
            model,
            flags.num,
            seed=flags.seed,
            temperature=flags.temperature,
            length=flags.length,
        )
        for text in texts:
            print(text)
