"""Text datasets by name, file or folder, as three splits of sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tf_latentflow.vocabulary import Vocabulary
from train.data.splits import SPLITS, split_of
from train.data.text.encoding import TextEncoding
from train.data.text.left_out import LeftOut
from train.data.text.ptb import fetch_ptb
from train.data.text.pydoc_corpus import pydoc_sentences
from train.data.text.unicode_form import form_remark
from train.data.text.user_text import read_path, read_splits
from train.support.digests import sha256_of
from train.support.errors import UserError

__all__ = ["MAX_LENGTH", "Corpus", "load_corpus", "split_by_hash"]

MAX_LENGTH = 288  # Characters of a sentence, as in section 6.1 of the paper.


@dataclass(frozen=True)
class Corpus(TextEncoding):
    """Sentences of a dataset, each of 1 to `max_length` characters.

    Attributes:
      name: The dataset as the user named it.
      train: Training sentences, in the order of the source.
      valid: Validation sentences.
      test: Test sentences.
      sha256: Digest over the three splits as they stand here; other text, other digest.
      num_filtered: By split, how many sentences were left out as longer than `max_length`.
      max_length: The longest sentence that is kept, in characters.
      left_out: A remark for each kind of thing that was not read.
    """

    name: str
    train: list[str]
    valid: list[str]
    test: list[str]
    sha256: str
    num_filtered: dict[str, int]
    max_length: int = MAX_LENGTH
    left_out: tuple[str, ...] = ()

    def describe(self) -> str:
        """Returns what the splits hold, and what of the dataset was left out."""
        splits = {name: getattr(self, name) for name in SPLITS}
        sizes = ", ".join(
            f"{name} {len(texts)} sentences ({sum(map(len, texts))} characters)"
            for name, texts in splits.items()
        )
        filtered = sum(self.num_filtered.values())
        long = [f"{filtered} over {self.max_length} characters left out"] if filtered else []
        known = set().union(*self.train)
        forms = [
            f"{split} split: {remark}"
            for split in ("valid", "test")
            if (remark := form_remark(known, splits[split]))
        ]
        return "; ".join([f"dataset {self.name}: {sizes}", *long, *self.left_out, *forms])

    def model_fields(self) -> dict[str, Any]:
        """Returns the vocabulary of the training split, and the length bound."""
        vocabulary = Vocabulary.from_texts(self.train)
        return {
            "vocab_size": vocabulary.size,
            "vocabulary": tuple(vocabulary.characters),
            "max_length": self.max_length,
        }


def load_corpus(dataset: str, data_dir: Path | None = None, max_length: int = MAX_LENGTH) -> Corpus:
    """Loads a dataset.

    | `dataset` | sentences                                                   | splits      |
    |-----------|-------------------------------------------------------------|-------------|
    | `pydoc`   | the language reference that this Python carries, each once  | by hash     |
    | `ptb`     | Penn Treebank, files in `data_dir`, else downloaded once    | as released |
    | a file    | UTF-8, one a line                                           | by hash     |
    | a folder  | of its `train.txt`, `valid.txt` and `test.txt`              | as they are |
    | a folder  | of all its `*.txt`, with neither `valid.txt` nor `test.txt` | by hash     |

    A file may be compressed by gzip, as `*.txt.gz`, and `.txt` may have any case. What else is in a
    folder, subfolders too, is not read, and counted.

    Args:
      dataset: One of the names, or a path.
      data_dir: For `ptb` only: the folder that holds its files. Nothing is ever downloaded into it.
      max_length: Longer sentences, counted in characters (code points), are left out.

    Raises:
      UserError: If there is no such dataset, a file of it is missing, empty, no UTF-8 text, a pipe
        or a device, or a split ends up without a sentence.
      ValueError: If `max_length` is not positive.
    """
    if max_length < 1:
        raise ValueError(f"expected a max_length of at least 1; got {max_length}")
    if data_dir is not None and dataset != "ptb":
        raise UserError(
            f"--data-dir belongs to the dataset ptb; got it with {dataset!r}; leave it out, "
            "or give the folder itself as --dataset"
        )
    left_out = LeftOut()
    if dataset == "pydoc":
        splits = split_by_hash(pydoc_sentences())
    elif dataset == "ptb":
        splits = read_splits(fetch_ptb() if data_dir is None else Path(data_dir), left_out)
    else:
        found = read_path(dataset, left_out)
        splits = found if isinstance(found, dict) else split_by_hash(found)
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
        left_out=left_out.remarks(),
    )


def split_by_hash(sentences: Iterable[str]) -> dict[str, list[str]]:
    """Deals sentences to splits by their own text; see `split_of`."""
    splits: dict[str, list[str]] = {split: [] for split in SPLITS}
    for sentence in sentences:
        splits[split_of(sentence.encode())].append(sentence)
    return splits


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
