"""Texts that are prepared on disk, and what is made of them."""

from __future__ import annotations

import gzip
from pathlib import Path

from train.data.splits import SPLITS
from train.data.text.corpus import Corpus, load_corpus

LINES = [f"line number {i} of some, " + "et cetera " * (i % 7) for i in range(600)]
LINES[7] = "cafe\N{COMBINING ACUTE ACCENT} and caf\N{LATIN SMALL LETTER E WITH ACUTE}"
LINES[40:50] = ["x" * n for n in range(285, 295)]


def write(path: Path, lines: list[str] = LINES) -> Path:
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def prepared(path: Path) -> Corpus:
    return load_corpus(str(path), most_in_memory=0)


def folder_of(cache: Path) -> Path:
    (folder,) = cache.glob("*/")
    return folder


def a_file(folder: Path) -> Path:
    return write(folder / "own.txt")


def a_folder_of_files(folder: Path) -> Path:
    folder = folder / "own"
    folder.mkdir()
    marks = "\N{ZERO WIDTH NO-BREAK SPACE}" + "\r\n".join(LINES[:300]) + "\n\r\n \rlast\r"
    (folder / "a.txt").write_bytes(marks.encode())
    (folder / "b.TXT.gz").write_bytes(gzip.compress("\n".join(LINES[300:]).encode()))
    (folder / "notes.md").write_text("not this")
    return folder


def a_divided_folder(folder: Path) -> Path:
    folder = folder / "own"
    folder.mkdir()
    for split, lines in zip(SPLITS, (LINES[8:400], LINES[:100], LINES[:40]), strict=True):
        write(folder / f"{split}.txt", lines)
    return folder
