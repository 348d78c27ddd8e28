"""Text datasets by name, file or folder, as three splits of sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tf_latentflow import ModelConfig
from tf_latentflow.vocabulary import UNKNOWN_ID, Vocabulary
from train.data.splits import SPLITS, split_of
from train.data.text.ptb import fetch_ptb
from train.data.text.pydoc_corpus import pydoc_sentences
from train.data.text.text_files import read_lines
from train.support.digests import sha256_of
from train.support.errors import UserError

__all__ = ["MAX_LENGTH", "Corpus", "load_corpus", "split_by_hash"]

MAX_LENGTH = 288  # Characters of a sentence, as in section 6.1 of the paper.


@dataclass(frozen=True)
class Corpus:
    """Sentences of a dataset, each of 1 to `max_length` characters.

    Attributes:
      name: The dataset as the user named it.
      train: Training sentences, in the order of the source.
      valid: Validation sentences.
      test: Test sentences.
      sha256: Digest over the three splits as they stand here; other text, other digest.
      num_filtered: By split, how many sentences were left out as longer than `max_length`.
      max_length: The longest sentence that is kept, in characters.
    """

    name: str
    train: list[str]
    valid: list[str]
    test: list[str]
    sha256: str
    num_filtered: dict[str, int]
    max_length: int = MAX_LENGTH

    def describe(self) -> str:
        """Returns what the splits hold, and how many sentences were left out."""
        splits = {name: getattr(self, name) for name in SPLITS}
        sizes = ", ".join(
            f"{name} {len(texts)} sentences ({sum(map(len, texts))} characters)"
            for name, texts in splits.items()
        )
        filtered = sum(self.num_filtered.values())
        note = f"; {filtered} over {self.max_length} characters left out" if filtered else ""
        return f"dataset {self.name}: {sizes}{note}"

    def model_fields(self) -> dict[str, Any]:
        """Returns the vocabulary of the training split, and the length bound."""
        vocabulary = Vocabulary.from_texts(self.train)
        return {
            "vocab_size": vocabulary.size,
            "vocabulary": tuple(vocabulary.characters),
            "max_length": self.max_length,
        }

    def encode(self, config: ModelConfig, sequences: Sequence[str]) -> list[np.ndarray]:
        """Returns the ids of sentences, int32 `[T]` each, by a model's vocabulary."""
        vocabulary = Vocabulary(config.vocabulary)
        return [vocabulary.encode(text) for text in sequences]

    def counts(self, sequences: Sequence[str], encoded: Sequence[np.ndarray]) -> dict[str, int]:
        """Returns how many characters the model does not know."""
        return {"num_unknown": sum(int((x == UNKNOWN_ID).sum()) for x in encoded)}


def load_corpus(dataset: str, data_dir: Path | None = None, max_length: int = MAX_LENGTH) -> Corpus:
    """Loads a dataset.

    | `dataset` | sentences                                                   | splits      |
    |-----------|-------------------------------------------------------------|-------------|
    | `pydoc`   | the language reference that this Python carries, each once  | by hash     |
    | `ptb`     | Penn Treebank, files in `data_dir`, else downloaded once    | as released |
    | a file    | UTF-8, one a line                                           | by hash     |
    | a folder  | of its `train.txt`, `valid.txt` and `test.txt`              | as they are |
    | a folder  | of all its `*.txt`, with neither `valid.txt` nor `test.txt` | by hash     |

    Args:
      dataset: One of the names, or a path.
      data_dir: For `ptb` only: the folder that holds its files. Nothing is ever downloaded into it.
      max_length: Longer sentences, counted in characters (code points), are left out.

    Raises:
      UserError: If there is no such dataset, a file of it is missing, empty or no UTF-8 text, or
        a split ends up without a sentence.
      ValueError: If `max_length` is not positive.
    """
    if max_length < 1:
        raise ValueError(f"expected a max_length of at least 1; got {max_length}")
    if data_dir is not None and dataset != "ptb":
        raise UserError(
            f"--data-dir belongs to the dataset ptb; got it with {dataset!r}; leave it out, "
            "or give the folder itself as --dataset"
        )
    if dataset == "pydoc":
        splits = split_by_hash(pydoc_sentences())
    elif dataset == "ptb":
        splits = _read_splits(fetch_ptb() if data_dir is None else Path(data_dir))
    else:
        splits = _read_path(dataset)
    kept = {
        split: [sentence for sentence in splits[split] if len(sentence) <= max_length]
        for split in SPLITS
    }
    num_filtered = {split: len(splits[split]) - len(kept[split]) for split in SPLITS}
    _check_splits(dataset, kept, num_filtered, max_length)
    return Corpus(
        name=dataset,
        **kept,
        sha256=_digest(kept),
        num_filtered=num_filtered,
        max_length=max_length,
    )


def split_by_hash(sentences: Iterable[str]) -> dict[str, list[str]]:
    """Deals sentences to splits by their own text; see `split_of`."""
    splits: dict[str, list[str]] = {split: [] for split in SPLITS}
    for sentence in sentences:
        splits[split_of(sentence.encode())].append(sentence)
    return splits


def _read_path(dataset: str) -> dict[str, list[str]]:
    """Reads a user's own file or folder."""
    path = Path(dataset)
    if path.is_file():
        return split_by_hash(read_lines(path))
    if not path.is_dir():
        raise UserError(
            f"expected a dataset: pydoc, ptb, or an existing text file or folder; got {dataset!r}"
        )
    # A folder that names a held-out split but not all of them must not have it dealt to training.
    if any((path / f"{split}.txt").exists() for split in ("valid", "test")):
        return _read_splits(path)
    files = sorted(path.glob("*.txt"))
    if not files:
        raise UserError(f"expected text files (*.txt) in the folder {dataset!r}; there are none")
    return split_by_hash(line for file in files for line in read_lines(file))


def _read_splits(folder: Path) -> dict[str, list[str]]:
    """Reads `train.txt`, `valid.txt` and `test.txt`."""
    if not folder.is_dir():
        raise UserError(
            f"expected a folder with train.txt, valid.txt and test.txt; got {str(folder)!r}"
        )
    missing = [f"{split}.txt" for split in SPLITS if not (folder / f"{split}.txt").is_file()]
    if missing:
        raise UserError(
            f"expected train.txt, valid.txt and test.txt in {str(folder)!r}; "
            f"missing: {', '.join(missing)}"
        )
    return {split: read_lines(folder / f"{split}.txt") for split in SPLITS}


def _check_splits(
    dataset: str, kept: dict[str, list[str]], num_filtered: dict[str, int], max_length: int
) -> None:
    """Refuses a corpus with an empty split."""
    empty = [split for split in SPLITS if not kept[split]]
    if not empty:
        return
    num_kept = sum(map(len, kept.values()))
    num_too_long = sum(num_filtered.values())
    raise UserError(
        f"the dataset {dataset!r} leaves no sentence for {', '.join(empty)}: {num_kept} of "
        f"{num_kept + num_too_long} sentences have at most {max_length} characters; give more "
        "text, shorter lines, or a folder with train.txt, valid.txt and test.txt"
    )


def _digest(splits: dict[str, list[str]]) -> str:
    """Returns the SHA-256 digest of the splits, in hexadecimal."""
    return sha256_of(*(_content(split, splits[split]) for split in SPLITS))


def _content(split: str, sentences: Sequence[str]) -> Iterator[bytes]:
    yield f"{split}\n{len(sentences)}\n".encode()
    for sentence in sentences:
        yield sentence.encode() + b"\n"
