"""Text that is too large for memory: the same dataset from disk, whole or not at all."""

from __future__ import annotations

import errno
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.paths import ROOT
from tests.train.data.prepared.texts import (
    LINES,
    a_divided_folder,
    a_file,
    a_folder_of_files,
    folder_of,
    prepared,
    write,
)
from tf_latentflow import ModelConfig
from train import char_lm, evaluate
from train.data.splits import SPLITS
from train.data.text.corpus import load_corpus
from train.data.text.left_out import LeftOut
from train.data.text.text_files import read_blocks
from train.engine.buckets import default_boundaries, lengths_of
from train.engine.order import TrainingOrder
from train.engine.settings import LoopSettings
from train.support.errors import UserError


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


def test_too_little_text_is_refused_as_in_memory(tmp_path: Path) -> None:
    path = write(tmp_path / "own.txt", LINES[:2])
    for read in (prepared, lambda path: load_corpus(str(path), most_in_memory=10**6)):
        with pytest.raises(UserError, match="leaves no sentence for .*: 2 of 2 sentences"):
            read(path)


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


def test_a_cache_that_cannot_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = a_file(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(path))
    with pytest.raises(UserError, match=r"cannot keep the prepared data.*set XDG_CACHE_HOME"):
        prepared(path)


def test_a_broken_disk_is_not_taken_for_a_full_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(file: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("os.fsync", broken)
    with pytest.raises(UserError, match=r"\(Input/output error\): check this disk, or set XDG"):
        prepared(a_file(tmp_path))
