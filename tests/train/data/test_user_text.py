"""What is read of a user's files and folders, what is refused, and what is said of the rest."""

from __future__ import annotations

import gzip
import os
import socket
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from tf_latentflow import ModelConfig
from train.data.splits import SPLITS
from train.data.text.corpus import load_corpus
from train.data.text.left_out import LeftOut
from train.data.text.undivided import UndividedText, load_undivided
from train.data.text.unicode_form import form_remark
from train.data.text.user_text import read_files
from train.support.errors import UserError

LINES = [f"line number {i}" for i in range(100)]
TEXT = "\n".join([*LINES, ""]).encode()


def read_lines(path: Path, left_out: LeftOut | None = None) -> list[str]:
    return [line for _, line in read_files([(None, path)], left_out or LeftOut())]


def split_folder(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for split in SPLITS:
        (folder / f"{split}.txt").write_bytes(TEXT)
    return folder


# --- files


def test_only_line_ends_end_a_line(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("a\u2028b\x0bc\r\nd\re\n".encode())
    assert read_lines(path) == ["a\u2028b\x0bc", "d", "e"]


def test_byte_order_marks_are_removed_and_counted(tmp_path: Path) -> None:
    mark = b"\xef\xbb\xbf"
    (tmp_path / "a.txt").write_bytes(mark + b"first\n" + mark + b" sec" + mark + b"ond\n" + mark)
    left_out = LeftOut()
    assert read_lines(tmp_path / "a.txt", left_out) == ["first", "second"]
    assert left_out.num_marks == 3  # The one at the start says that the file is UTF-8.
    (tmp_path / "b.txt").write_bytes(TEXT + b"line\n" + mark + b"\n" + mark + b"more\n\n")
    corpus = load_corpus(str(tmp_path / "b.txt"))
    assert "\N{ZERO WIDTH NO-BREAK SPACE}" not in corpus.model_fields()["vocabulary"]
    assert "2 blank lines left out; 2 byte order marks within the text removed" in corpus.describe()


def test_a_compressed_file_is_read_as_what_it_holds(tmp_path: Path) -> None:
    parts = gzip.compress(TEXT[:700]), gzip.compress(TEXT[700:])
    (tmp_path / "a.txt.gz").write_bytes(b"".join(parts))
    assert read_lines(tmp_path / "a.txt.gz") == LINES


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"ab\r\ncd\rcaf\xe9", "byte 0xe9 at offset 10: line 3, byte 4"),
        (b"\xff\xfea", "byte 0xff at offset 0: line 1, byte 1"),
        (b"ab\n\nc\0", "zero byte at offset 5: line 3, byte 2"),
        (gzip.compress(b"ab\n\xe9", mtime=0), "byte 0xe9 at offset 3: line 2, byte 1"),
    ],
)
def test_what_is_not_utf_8_is_refused_by_file_line_and_byte(
    content: bytes, place: str, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(UserError, match=place) as error:
        read_lines(tmp_path / "a.txt")
    assert "a.txt" in str(error.value)


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-12], lambda data: data[:40] + b"xxxx" + data[44:]]
)
def test_a_damaged_compressed_file_is_refused(
    damage: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    (tmp_path / "a.txt.gz").write_bytes(damage(gzip.compress(TEXT, mtime=0)))
    with pytest.raises(UserError, match="a.txt.gz.*is damaged"):
        read_lines(tmp_path / "a.txt.gz")


# --- pipes, sockets and devices: a test that opened one would wait for ever


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # The name of a socket must be short.
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)
    os.chdir(here)


def link_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [make_pipe, make_socket, link_device])
def test_what_is_no_file_is_refused_unopened(make: Callable[[Path], None], tmp_path: Path) -> None:
    kind = {make_pipe: "a pipe", make_socket: "a socket", link_device: "a device"}[make]
    (tmp_path / "undivided").mkdir()
    (tmp_path / "undivided" / "a.txt").write_bytes(b"not utf-8: \xe9")  # Never read.
    split_folder(tmp_path / "divided")
    (tmp_path / "divided" / "valid.txt").unlink()
    alone, within = tmp_path / "alone.txt", tmp_path / "undivided" / "b.TXT"
    for path in (alone, within, tmp_path / "divided" / "valid.txt"):
        make(path)
    for dataset in (alone, tmp_path / "undivided", tmp_path / "divided"):
        with pytest.raises(UserError, match=f"it is {kind}, .*: save what comes from it in a file"):
            load_corpus(str(dataset))
    for dataset in (alone, tmp_path / "undivided"):
        with pytest.raises(UserError, match=kind):
            load_undivided(str(dataset))


def test_a_pipe_with_a_writer_is_refused_too() -> None:
    read, write = os.pipe()
    try:
        os.write(write, TEXT)
        with pytest.raises(UserError, match="it is a pipe"):
            load_corpus(f"/dev/fd/{read}")
    finally:
        os.close(read)
        os.close(write)


# --- folders


def test_every_text_file_of_a_folder_is_read_and_the_rest_counted(tmp_path: Path) -> None:
    (tmp_path / "A.TXT").write_bytes(TEXT)
    (tmp_path / "b.Txt.GZ").write_bytes(gzip.compress(b"zipped\n", mtime=0))
    (tmp_path / "c.txt").write_bytes(b"plain\n")
    for name in ("x.md", "y.gz", "z.pdf"):
        (tmp_path / name).write_bytes(b"not this\n")
    for name in ("more", "folder.txt"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "d.txt").write_bytes(b"nor this\n")
    undivided = load_undivided(str(tmp_path))
    assert undivided.sequences == [*LINES, "zipped", "plain"]
    corpus = load_corpus(str(tmp_path))
    assert sum(len(getattr(corpus, split)) for split in SPLITS) == 102
    for shown in (corpus.describe(), undivided.describe()):
        assert "; 3 other files not read ('x.md', 'y.gz', 'z.pdf')" in shown
        assert "; 2 subfolders not read ('folder.txt', 'more')" in shown


def test_many_names_are_counted_and_not_all_shown(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(TEXT)
    for i in range(12):
        (tmp_path / f"{i:02d}.md").touch()
    shown = "12 other files not read ('00.md', '01.md', '02.md', '03.md', '04.md' and 7 more)"
    assert shown in load_corpus(str(tmp_path)).describe()


def test_splits_are_found_in_any_case_and_compressed(tmp_path: Path) -> None:
    (tmp_path / "Train.TXT").write_bytes(TEXT)
    (tmp_path / "valid.txt.gz").write_bytes(gzip.compress(b"held out\n", mtime=0))
    with pytest.raises(UserError, match=r"missing: test\.txt"):  # And not dealt to training.
        load_corpus(str(tmp_path))
    (tmp_path / "TEST.txt").write_bytes(b"tested\n")
    (tmp_path / "notes.txt").write_bytes(b"not this\n")
    corpus = load_corpus(str(tmp_path))
    assert (corpus.train, corpus.valid, corpus.test) == (LINES, ["held out"], ["tested"])
    assert "1 other file not read ('notes.txt')" in corpus.describe()
    (tmp_path / "test.txt.gz").write_bytes(gzip.compress(b"which one?\n", mtime=0))
    with pytest.raises(UserError, match=r"one file for the split test .*; keep only one of them"):
        load_corpus(str(tmp_path))


def test_a_folder_of_folders_says_so(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
    with pytest.raises(UserError, match="there are none; 2 subfolders not read \\('a', 'b'\\)"):
        load_corpus(str(tmp_path))


# --- all of it


def test_an_undivided_file_keeps_every_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("bb\n\na\nb\n" + "x" * 400 + "\n")
    text = load_undivided(str(tmp_path / "a.txt"))
    assert text.sequences == ["bb", "a", "b", "x" * 400]
    assert "4 sentences (404 characters), not divided; 1 blank line left out" in text.describe()
    config = ModelConfig(vocab_size=3, vocabulary=("a",), max_length=288)
    encoded = text.encode(config, text.sequences)
    assert [x.tolist() for x in encoded] == [[1, 1], [2], [1]]
    shortest = ModelConfig(vocab_size=3, vocabulary=("a",), max_length=1)
    assert len(text.encode(shortest, text.sequences)) == 2
    assert text.counts(text.sequences, encoded) == {"num_unknown": 3, "num_too_long": 1}
    with pytest.raises(ValueError, match="expected data without splits"):
        load_undivided(str(split_folder(tmp_path / "divided")))


# --- Unicode forms

WORDS = ["café", "naïve", "한국어", "plain"]


@pytest.mark.parametrize(("trained", "other"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_text_in_another_form_is_noticed(trained: str, other: str) -> None:
    known = set("".join(unicodedata.normalize(trained, word) for word in WORDS))
    same, changed = (
        [unicodedata.normalize(form, word) for word in WORDS] for form in (trained, other)
    )
    assert form_remark(known, same) is None
    remark = form_remark(known, changed)
    assert "not in the Unicode form that the model was trained in" in remark
    assert f"knows 5 of its characters in the form {trained} only" in remark
    assert f"convert the text to {trained}" in remark


def test_unknown_characters_alone_are_no_matter_of_form() -> None:
    texts = [unicodedata.normalize(form, "việt π é") for form in ("NFC", "NFD")]
    assert form_remark(set("viet "), texts) is None
    assert form_remark(set("xyz"), texts) is None


def test_it_is_said_of_held_out_splits_and_of_what_is_evaluated(tmp_path: Path) -> None:
    split_folder(tmp_path)
    (tmp_path / "train.txt").write_text("café\n", encoding="utf-8")
    decomposed = unicodedata.normalize("NFD", "café")
    (tmp_path / "test.txt").write_text(f"{decomposed}\n", encoding="utf-8")
    corpus = load_corpus(str(tmp_path))
    assert "; test split: the text is not in the Unicode form" in corpus.describe()
    assert "valid split: the text" not in corpus.describe()
    vocabulary = corpus.model_fields()["vocabulary"]
    config = ModelConfig(vocab_size=2 + len(vocabulary), vocabulary=vocabulary, max_length=9)
    text = UndividedText("mine", [decomposed])
    assert "convert the text to NFC" in text.remark(config, text.sequences)
    assert text.remark(config, corpus.train) is None
