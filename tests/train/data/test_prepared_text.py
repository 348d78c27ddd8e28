"""Text that is too large for memory: the same dataset from disk, whole or not at all."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.paths import ROOT
from tf_latentflow import ModelConfig
from train import char_lm, evaluate
from train.data.splits import SPLITS
from train.data.store.folder import PreparedFolder
from train.data.text import preparing
from train.data.text.corpus import Corpus, load_corpus
from train.data.text.left_out import LeftOut
from train.data.text.text_files import read_blocks
from train.engine.buckets import default_boundaries, lengths_of
from train.engine.order import TrainingOrder
from train.engine.settings import LoopSettings
from train.support.errors import UserError

LINES = [f"line number {i} of some, " + "et cetera " * (i % 7) for i in range(600)]
LINES[7] = "cafe\N{COMBINING ACUTE ACCENT} and caf\N{LATIN SMALL LETTER E WITH ACUTE}"
LINES[40:50] = ["x" * n for n in range(285, 295)]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of prepared data, which are read in small blocks here."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(preparing, "BLOCK_BYTES", 100)
    return tmp_path / "cache" / "tf_latentflow" / "prepared"


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


@pytest.mark.parametrize("make", [a_file, a_folder_of_files, a_divided_folder])
def test_it_is_the_dataset_that_it_would_be_in_memory(make, tmp_path: Path, cache: Path) -> None:
    path = make(tmp_path)
    here = load_corpus(str(path))
    assert not cache.exists()
    there = prepared(path)
    for split in SPLITS:
        assert list(getattr(there, split)) == getattr(here, split)
        assert getattr(there, split)[-1:][0] == getattr(here, split)[-1]
    assert there.sha256 == here.sha256 and there.num_filtered == here.num_filtered
    assert there.model_fields() == here.model_fields()
    assert there.describe() == f"{here.describe()}; read from {folder_of(cache)}"
    # Once it is there it is used, however large the data may be.
    assert load_corpus(str(path)).describe() == there.describe()


def test_batches_are_the_same_bit_by_bit(tmp_path: Path) -> None:
    path = a_file(tmp_path)
    here, there = load_corpus(str(path)), prepared(path)
    config = ModelConfig.from_name("lstm", "tiny", **{**here.model_fields(), "max_length": 80})
    settings = LoopSettings(seed=3, max_steps=1, batch_size=16)
    orders = []
    for corpus in (here, there):
        encoded = corpus.encode(config, corpus.train)
        boundaries = default_boundaries(lengths_of(encoded))
        orders.append(TrainingOrder(settings, encoded, boundaries))
    assert len(lengths_of(there.encode(config, there.train))) < len(there.train)  # Some are longer.
    in_memory, on_disk = orders
    assert in_memory.steps_per_epoch == on_disk.steps_per_epoch > 20
    for step in range(2 * in_memory.steps_per_epoch):
        (a,), (b,) = in_memory.call_at(step, 1).steps[0], on_disk.call_at(step, 1).steps[0]
        for one, other in zip(a, b, strict=True):
            assert one.dtype == other.dtype and np.array_equal(one, other)


def test_text_that_was_compressed_is_counted_as_what_it_is(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "own.txt.gz"
    path.write_bytes(gzip.compress("\n".join([*LINES, *["the same again"] * 9000]).encode()))
    size = path.stat().st_size
    corpus = load_corpus(str(path), most_in_memory=size + 1)
    assert cache.exists() and sum(lengths_of(corpus.train)) > 10 * size


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_blocks_make_no_difference(size: int, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffa\r\n\r\nb\rc\ufeff\n \n\r\u00e9\u2028d\r".encode())
    whole, parts = LeftOut(), LeftOut()
    expected = [line for block in read_blocks(path, whole) for line in block.lines]
    blocks = list(read_blocks(path, parts, size=size))
    assert sum((block.lines for block in blocks), []) == expected == ["a", "b", "c", "é\u2028d"]
    assert parts == whole and blocks[-1].end == (path.stat().st_size, 7, 4)
    for i, block in enumerate(blocks):  # From the end of any.
        rest = [line for b in read_blocks(path, LeftOut(), block.end, size) for line in b.lines]
        assert rest == sum((b.lines for b in blocks[i + 1 :]), [])


def test_a_place_in_a_later_block_is_that_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"ab\r\ncd\rcaf\xe9\nef\n")
    with pytest.raises(UserError, match="offset 10: line 3, byte 4"):
        list(read_blocks(path, LeftOut(), size=3))


# --- killed, full, damaged, changed

_KILLED = """
import os, signal, sys
from train.data.store.records import RecordWriter
from train.data.text import preparing
from train.data.text.corpus import load_corpus

preparing.BLOCK_BYTES, preparing.COMMIT_BYTES = 100, 8000
left, extend = int(sys.argv[2]), RecordWriter.extend


def extend_or_die(self, records, lengths):
    global left
    left -= 1
    extend(self, records, lengths)
    if left < 0:
        for file in self._files:
            file.flush()  # More is on the disk than was committed.
        os.kill(os.getpid(), signal.SIGKILL)


RecordWriter.extend = extend_or_die
load_corpus(sys.argv[1], most_in_memory=0)
"""


def kill(path: Path, call: int) -> None:
    """Prepares a text in a process that kills itself when it has written so many times."""
    program = [sys.executable, "-c", _KILLED, str(path), str(call)]
    assert subprocess.run(program, cwd=ROOT, check=False).returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("make", "calls"),
    [(a_file, [500, 0]), (a_folder_of_files, [700])],  # Some are committed; of the second none.
)
def test_a_killed_preparation_goes_on(
    make, calls: list[int], tmp_path: Path, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = make(tmp_path)
    for call in calls:
        kill(path, call)
        assert [p.suffix for p in cache.glob("*/")] == [".partial"]
    assert prepared(path).sha256 == load_corpus(str(path)).sha256
    first, *others = capfd.readouterr().err.splitlines()
    assert first == "preparing" and others == ["resuming the preparation"] * len(calls)
    files = {p.name: p.read_bytes() for p in folder_of(cache).glob("*.txt*")}
    os.utime(path if path.is_file() else path / "a.txt")  # Anew, from the start.
    prepared(path)
    assert capfd.readouterr().err == "preparing\n"
    assert {p.name: p.read_bytes() for p in folder_of(cache).glob("*.txt*")} == files


def test_what_a_killed_preparation_left_is_not_trusted(
    tmp_path: Path, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = a_file(tmp_path)
    digest = load_corpus(str(path)).sha256
    kill(path, 500)
    partial = folder_of(cache)
    shutil.copytree(partial, tmp_path / "left")
    for name, content in (("train.txt", b""), ("valid.txt.index", b"x"), ("progress.json", b"{}")):
        shutil.rmtree(folder_of(cache))
        shutil.copytree(tmp_path / "left", partial)
        (partial / name).write_bytes(content)
        assert prepared(path).sha256 == digest
    assert "going on" not in capfd.readouterr().err


@pytest.mark.parametrize("name", ["train.txt", "valid.txt.index", "test.txt.lengths"])
@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_damage_is_refused_by_file(name: str, damage: str, tmp_path: Path, cache: Path) -> None:
    path = a_file(tmp_path)
    prepared(path)
    file = folder_of(cache) / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data if damage == "flipped" else data[:-1])
    if damage == "gone":
        file.unlink()
    with pytest.raises(
        UserError, match=rf"its file {name} is damaged; delete this folder"
    ) as error:
        prepared(path)
    assert str(folder_of(cache)) in str(error.value) and "\n" not in str(error.value)


def test_damage_of_the_facts_is_refused(tmp_path: Path, cache: Path) -> None:
    path = a_file(tmp_path)
    prepared(path)
    (folder_of(cache) / "prepared.json").write_text('{"facts": ')
    with pytest.raises(UserError, match=r"prepared\.json is damaged"):
        prepared(path)


def test_a_file_that_is_cut_while_it_is_read_is_refused(tmp_path: Path, cache: Path) -> None:
    corpus = prepared(a_file(tmp_path))
    os.truncate(folder_of(cache) / "train.txt", 100)
    with pytest.raises(UserError, match="it was cut or changed since it was opened"):
        list(corpus.train)


def test_changed_data_are_prepared_anew(
    tmp_path: Path, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = a_file(tmp_path)
    first = prepared(path)
    os.utime(path)
    assert prepared(path).sha256 == first.sha256
    assert capfd.readouterr().err == "preparing\n" * 2
    content = path.read_bytes()
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    path.write_bytes(content.replace(b"number 5 ", b"number 6 "))  # Of the same size,
    os.utime(path, ns=times)  # and as if it were as old.
    assert prepared(path).sha256 != first.sha256
    assert list(first.train)[0] == LINES[0].strip()  # Who reads the old still does.
    folder_of(cache)  # There is one.


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, cache: Path) -> None:
    path = a_file(tmp_path)
    folder = PreparedFolder(path, [path], {})
    with pytest.raises(UserError, match="changed while it was read"):
        folder.open(lambda _: {"size": path.write_text("more")})
    assert [p.suffix for p in cache.glob("*/")] == [".partial"]
    folder = PreparedFolder(path, [path], {})
    assert folder.open(lambda place: {"left": len(list(place.iterdir()))}) == {"left": 1}


def test_two_processes_prepare_once(
    tmp_path: Path, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path, found = a_file(tmp_path), []
    threads = [
        threading.Thread(target=lambda: found.append(prepared(path).sha256)) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3 and len(set(found)) == 1
    assert capfd.readouterr().err.count("preparing\n") == 1


def test_a_cache_that_cannot_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = a_file(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(path))
    with pytest.raises(UserError, match=r"cannot keep the prepared data.*set XDG_CACHE_HOME"):
        prepared(path)


# --- the programs


@pytest.mark.nightly
def test_a_run_ends_with_the_same_weights_and_numbers(tmp_path: Path) -> None:
    path = a_file(tmp_path)
    flags = ["--model", "lstm", "--preset", "tiny", "--max-steps", "30", "--eval-every", "10"]
    results = []
    for name in ("here", "there"):
        workdir = tmp_path / name
        char_lm.main(["--dataset", str(path), *flags, "--workdir", str(workdir)])
        results.append(json.loads((workdir / "results.json").read_text()))
        prepared(path)  # For the second.
    here, there = results
    for name in ("test", "samples", "dataset_sha256"):
        assert here[name] == there[name]
    assert here["train"]["weights_sha256"] == there["train"]["weights_sha256"]
    evaluate.main([str(tmp_path / "there"), "--samples", "1"])


# --- memory

_BOUNDED = """
import resource, sys

resource.setrlimit(resource.RLIMIT_DATA, (160 << 20,) * 2)
from train.data.text.config import TextConfig
from train.data.text.corpus import load_corpus
from train.engine.buckets import default_boundaries, lengths_of
from train.engine.order import TrainingOrder

corpus = load_corpus(sys.argv[1], most_in_memory=int(sys.argv[2]))
config = TextConfig.from_preset("small", "lstm")
encoded = corpus.encode(config.model_config(**corpus.model_fields()), corpus.train)
order = TrainingOrder(config, encoded, default_boundaries(lengths_of(encoded)))
for step in range(order.steps_per_epoch + 1):
    order.call_at(step, 1)
print(corpus.sha256)
"""


@pytest.mark.nightly
def test_memory_does_not_grow_with_the_text(tmp_path: Path) -> None:
    path = write(tmp_path / "large.txt", [f"{i} {'some words ' * 25}" for i in range(300_000)])
    assert path.stat().st_size > 80e6
    done = {
        most: subprocess.run(
            [sys.executable, "-c", _BOUNDED, str(path), str(most)],
            cwd=ROOT,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        for most in (10**9, 0)  # The first leaves nothing that is prepared.
    }
    assert done[0].returncode == 0, done[0].stderr
    assert done[10**9].returncode == 1 and "MemoryError" in done[10**9].stderr
