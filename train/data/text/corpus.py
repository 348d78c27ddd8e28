"""Text datasets by name, file or folder, as three splits of sentences."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tf_latentflow.vocabulary import Vocabulary
from train.data.splits import SPLITS, split_of, splits_sha256
from train.data.store.folder import PreparedFolder
from train.data.text.built_in import BUILT_IN
from train.data.text.encoding import TextEncoding
from train.data.text.left_out import MAX_LENGTH, LeftOut
from train.data.text.preparing import find_prepared, stored_splits
from train.data.text.releases import RELEASES, fetch_release
from train.data.text.unicode_form import forms_of_splits
from train.data.text.user_text import find_splits, find_texts, read_files
from train.engine.buckets import lengths_of
from train.support.errors import UserError
from train.support.units import counted

__all__ = ["MOST_IN_MEMORY", "Corpus", "load_corpus"]

MOST_IN_MEMORY = 1 << 26  # Bytes of text, which take seven times as much as Python's strings.


@dataclass(frozen=True)
class Corpus(TextEncoding):
    """The sentences of a dataset, each of 1 to `MAX_LENGTH` characters.

    Attributes:
      name: The dataset as the user named it.
      train: Training sentences, in the order of the source.
      valid: Validation sentences.
      test: Test sentences.
      sha256: Digest over the three splits.
      characters: The characters of the training split, sorted.
      num_filtered: The number of sentences longer than `MAX_LENGTH`, by split.
      left_out: A remark for each kind of content that was not read.
      notes: Further remarks for the user.
    """

    name: str
    train: Sequence[str]
    valid: Sequence[str]
    test: Sequence[str]
    sha256: str
    characters: str
    num_filtered: dict[str, int]
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def describe(self) -> str:
        """Returns a line on the content of the splits and on what was left out."""
        lengths = {name: lengths_of(getattr(self, name)) for name in SPLITS}
        sizes = ", ".join(
            f"{name} {counted(len(each), 'sentence')} ({counted(each.sum(), 'character')})"
            for name, each in lengths.items()
        )
        filtered = sum(self.num_filtered.values())
        long = [f"{filtered} over {MAX_LENGTH} characters left out"] if filtered else []
        return "; ".join([f"dataset {self.name}: {sizes}", *long, *self.left_out, *self.notes])

    def model_fields(self) -> dict[str, Any]:
        """Returns the vocabulary of the training split, and the maximum length."""
        vocabulary = Vocabulary(self.characters)
        return {
            "vocab_size": vocabulary.size,
            "vocabulary": tuple(vocabulary.characters),
            "max_length": MAX_LENGTH,
        }


def load_corpus(
    dataset: str, data_dir: Path | None = None, most_in_memory: int = MOST_IN_MEMORY
) -> Corpus:
    """Loads a dataset.

    | `dataset`     | sentences                                                   | splits      |
    |---------------|-------------------------------------------------------------|-------------|
    | `pydoc`       | the language reference of this Python, each sentence once   | by hash     |
    | `python-docs` | the same, and the docstrings of the standard library        | by hash     |
    | `ptb`         | a text of `RELEASES`, in `data_dir`, or downloaded once     | as released |
    | a file        | its lines, in UTF-8                                         | by hash     |
    | a folder      | the lines of its `train.txt`, `valid.txt` and `test.txt`    | one a file  |
    | a folder      | of all its `*.txt`, with neither `valid.txt` nor `test.txt` | by hash     |

    Files may be compressed by gzip (`*.txt.gz`), and `.txt` may have any case. Other files and
    subfolders of a folder are not read, but counted.

    A text that is too large for memory is prepared once in the user's cache, and sentences are read
    from there when they are needed. The dataset and its digest are the same.

    Args:
      dataset: One of the names, or a path.
      data_dir: Folder with the files of a release; only for these. Nothing is downloaded to it.
      most_in_memory: Size of a file or folder in bytes, or number of characters after
        decompression, from which on it is prepared.

    Raises:
      UserError: There is no such dataset; a file is missing, empty, not UTF-8, a pipe or a device;
        or a split has no sentences.
    """
    if data_dir is not None and dataset not in RELEASES:
        raise UserError(
            f"--data-dir is only for the dataset {' or '.join(RELEASES)}; got it with {dataset!r}; "
            "leave it out, or give the folder itself as --dataset"
        )
    left_out = LeftOut()
    if dataset in BUILT_IN:
        return _corpus(dataset, ((None, text) for text in BUILT_IN[dataset]()), left_out)
    if dataset in RELEASES:
        folder = fetch_release(dataset) if data_dir is None else Path(data_dir)
        files = find_splits(folder, left_out)
    else:
        files = find_texts(dataset, left_out)
    size = sum(path.stat().st_size for _, path in files)
    prepared = find_prepared(dataset if data_dir is None else str(data_dir), files)
    corpus = None
    if size <= most_in_memory and not prepared.exists():
        count = dataclasses.replace(left_out)
        pairs = read_files(files, count)
        corpus = _corpus(dataset, pairs, count, most_in_memory)
    return corpus or _prepared_corpus(dataset, left_out, prepared)


def _corpus(
    dataset: str,
    pairs: Iterable[tuple[str | None, str]],
    left_out: LeftOut,
    most_in_memory: int | None = None,
) -> Corpus | None:
    """Returns a corpus in memory, or None if it has too many characters."""
    kept: dict[str, list[str]] = {split: [] for split in SPLITS}
    num_filtered = dict.fromkeys(SPLITS, 0)
    num_characters = 0
    for split, sentence in pairs:
        split = split or split_of(sentence.encode())
        if len(sentence) > MAX_LENGTH:
            num_filtered[split] += 1
            continue
        kept[split].append(sentence)
        num_characters += len(sentence)
        if most_in_memory is not None and num_characters > most_in_memory:
            return None
    _check_splits(dataset, kept, num_filtered)
    characters = "".join(sorted(set().union(*kept["train"])))
    return Corpus(
        name=dataset,
        **kept,
        sha256=splits_sha256(
            {split: len(kept[split]) for split in SPLITS},
            lambda split: (f"{sentence}\n".encode() for sentence in kept[split]),
        ),
        characters=characters,
        num_filtered=num_filtered,
        left_out=left_out.remarks(),
        notes=tuple(forms_of_splits(characters, {s: kept[s] for s in ("valid", "test")})),
    )


def _prepared_corpus(dataset: str, left_out: LeftOut, folder: PreparedFolder) -> Corpus:
    """Returns a corpus on disk."""
    facts = folder.open()
    splits = stored_splits(folder.path)
    _check_splits(dataset, splits, facts["num_filtered"])
    left_out = dataclasses.replace(
        left_out, num_blank=facts["num_blank"], num_marks=facts["num_marks"]
    )
    return Corpus(
        name=dataset,
        **splits,
        sha256=facts["sha256"],
        characters=facts["characters"],
        num_filtered=facts["num_filtered"],
        left_out=left_out.remarks(),
        notes=(*facts["forms"], f"read from {folder.path}"),
    )


def _check_splits(
    dataset: str, kept: Mapping[str, Sequence[str]], num_filtered: dict[str, int]
) -> None:
    """Refuses a corpus with an empty split."""
    empty = [split for split in SPLITS if not kept[split]]
    if not empty:
        return
    num_kept = sum(map(len, kept.values()))
    num_too_long = sum(num_filtered.values())
    raise UserError(
        f"the dataset {dataset!r} leaves no sentence for {', '.join(empty)}: {num_kept} of "
        f"{num_kept + num_too_long} sentences have at most {MAX_LENGTH} characters, and equal ones "
        "are in the same split; give more text, shorter lines, or a folder with train.txt, "
        "valid.txt and test.txt"
    )
