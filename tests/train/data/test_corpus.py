"""Datasets: the Penn Treebank, and a user's own files."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.paths import PTB
from train.data.splits import SPLITS, split_of
from train.data.text.corpus import load_corpus
from train.support.errors import UserError

_SENTENCES = [f"sentence number {i}" for i in range(200)]


def split_by_hash(sentences: Iterable[str]) -> dict[str, list[str]]:
    """Assigns sentences to splits by their text; see `split_of`."""
    splits: dict[str, list[str]] = {split: [] for split in SPLITS}
    for sentence in sentences:
        splits[split_of(sentence.encode())].append(sentence)
    return splits


def _write(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


# --- ptb


@pytest.mark.skipif(not PTB.is_dir(), reason="the Penn Treebank files are not at hand")
def test_ptb_has_the_published_counts() -> None:
    corpus = load_corpus("ptb", data_dir=PTB)
    splits = [getattr(corpus, split) for split in SPLITS]
    assert [len(split) for split in splits] == [41_740, 3_356, 3_735]
    assert [sum(map(len, split)) for split in splits] == [4_868_454, 385_082, 430_371]
    assert len(set().union(*corpus.train)) == 49
    assert corpus.num_filtered == {"train": 328, "valid": 14, "test": 26}


def test_ptb_in_a_given_folder_is_never_supplemented(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "train.data.text.corpus.fetch_release", lambda name: pytest.fail("asked for a download")
    )
    _write(tmp_path / "train.txt", ["a"])
    with pytest.raises(UserError, match=r"missing: valid\.txt, test\.txt"):
        load_corpus("ptb", data_dir=tmp_path)
    with pytest.raises(UserError, match="expected a folder"):
        load_corpus("ptb", data_dir=tmp_path / "nowhere")
    assert sorted(os.listdir(tmp_path)) == ["train.txt"]


# --- a user's own


def test_a_file_is_split_by_its_sentences_alone(tmp_path: Path) -> None:
    corpus = load_corpus(str(_write(tmp_path / "own.txt", [*_SENTENCES, "", *_SENTENCES[:50]])))
    splits = {split: set(getattr(corpus, split)) for split in SPLITS}
    assert not splits["train"] & splits["test"] and not splits["train"] & splits["valid"]
    assert set().union(*splits.values()) == set(_SENTENCES)
    assert sum(len(getattr(corpus, split)) for split in SPLITS) == 250
    # More text, in another order, moves nothing.
    more = split_by_hash(reversed([*_SENTENCES, "one more"]))
    assert all(splits[split] <= set(more[split]) for split in SPLITS)


def test_a_folder_with_three_splits_is_taken_as_it_is(tmp_path: Path) -> None:
    for split in SPLITS:
        _write(tmp_path / f"{split}.txt", [f"  {split} text ", "shared"])
    _write(tmp_path / "notes.txt", ["not this"])
    corpus = load_corpus(str(tmp_path))
    assert [corpus.train, corpus.valid, corpus.test] == [
        [f"{split} text", "shared"] for split in SPLITS
    ]
    assert "".join(corpus.model_fields()["vocabulary"]) == " adehinrstx"  # Of the training split.


def test_a_folder_of_other_files_is_split_by_hash(tmp_path: Path) -> None:
    _write(tmp_path / "a.txt", _SENTENCES[:100])
    _write(tmp_path / "b.txt", _SENTENCES[100:])
    (tmp_path / "c.md").write_text("not this")
    (tmp_path / "d.txt").touch()
    corpus = load_corpus(str(tmp_path))
    assert {s: getattr(corpus, s) for s in SPLITS} == split_by_hash(_SENTENCES)


def test_long_sentences_are_filtered_and_counted(tmp_path: Path) -> None:
    lines = {"train": ["x" * 288, "y" * 289, "日" * 288], "valid": ["v"], "test": ["t", "t" * 999]}
    for split in SPLITS:
        _write(tmp_path / f"{split}.txt", lines[split])
    corpus = load_corpus(str(tmp_path))
    assert corpus.train == ["x" * 288, "日" * 288]
    assert corpus.num_filtered == {"train": 1, "valid": 0, "test": 1}


def test_digest_is_of_the_text_that_is_used(tmp_path: Path) -> None:
    for split in SPLITS:
        _write(tmp_path / f"{split}.txt", [split, "more"])
    first = load_corpus(str(tmp_path))
    (tmp_path / "train.txt").write_bytes(b"\xef\xbb\xbftrain\r\n\r\n  more  ")
    assert load_corpus(str(tmp_path)).sha256 == first.sha256
    _write(tmp_path / "train.txt", ["train"])
    _write(tmp_path / "valid.txt", ["more", "valid", "more"])
    assert load_corpus(str(tmp_path)).sha256 != first.sha256


_BAD_FILES = {
    "empty": (b"", "no line with text"),
    "blank": (b"\n  \r\n", "no line with text"),
    "binary": (b"ab\0cd", "zero byte at offset 2"),
    "utf-16": ("abc".encode("utf-16"), "another encoding"),
    "latin-1": ("ab\ncaf\xe9".encode("latin-1"), r"byte 0xe9 at offset 6"),
    "too long": (b"x" * 289 + b"\n", "0 of 1 sentences have at most 288"),
    "too few": (b"one sentence\n", "leaves no sentence for"),
}


@pytest.mark.parametrize("case", _BAD_FILES)
def test_refuses_bad_files(case: str, tmp_path: Path) -> None:
    content, message = _BAD_FILES[case]
    path = tmp_path / "own.txt"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message) as error:
        load_corpus(str(path))
    assert "own.txt" in str(error.value)


def test_refuses_what_is_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"pydoc, python-docs, ptb, or .*; got 'nosuch'"):
        load_corpus("nosuch")
    with pytest.raises(UserError, match=r"\(\*\.txt\) in the folder"):
        load_corpus(str(tmp_path))
    _write(tmp_path / "train.txt", _SENTENCES)
    _write(tmp_path / "test.txt", _SENTENCES)
    with pytest.raises(UserError, match=r"missing: valid\.txt"):
        load_corpus(str(tmp_path))
    with pytest.raises(UserError, match="--data-dir is only for the dataset ptb"):
        load_corpus("pydoc", data_dir=tmp_path)
