"""The folder of a pretrained model: whole, damaged, altered, by name; no model is built."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tf_latentflow import Card, ModelConfig, PretrainedError, Result
from tf_latentflow.pretrained import names
from tf_latentflow.pretrained.card import card_markdown
from tf_latentflow.pretrained.folder import read_folder, write_folder
from tf_latentflow.pretrained.names import find_pretrained, pretrained_names, pretrained_table
from tf_latentflow.pretrained.weights import pack_weights, unpack_weights

CONFIG = ModelConfig.from_name("lstm", "tiny", vocab_size=5, vocabulary=("a", "b", "c"))
ARRAYS = [
    ("a/kernel", np.array([[1, 0.1], [-3e-5, 6e4]], np.float32)),
    ("a/kernel", np.array([2049, 3], np.float32)),
    ("longest", np.array(7, np.int32)),
]
CARD = Card(
    name="abc",
    description="Three letters.",
    data="letters",
    license="public domain",
    command="python -m train.char_lm --seed 3",
    commit="0123abc",
    seed=3,
    steps=40,
    hours=0.5,
    hardware="2 cores, AVX2",
    date="2026-01-02",
    test=Result(metric="bpc", value=2.5, stderr=0.125, num_sequences=9, num_samples=50),
    samples=("a *b*", "cab"),
    limits="No words.",
)
RUN = {"task": "text", "train": {"seed": 3}, "dataset_sha256": "0" * 64}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_folder(tmp_path / "abc", CONFIG, ARRAYS, CARD, RUN)
    return tmp_path / "abc"


@pytest.fixture
def shipped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a model as one that comes with the package."""
    monkeypatch.setattr(names, "_MODELS", folder.parent)
    return folder


def test_a_folder_is_read_as_it_was_written(folder: Path) -> None:
    found = read_folder(folder)
    assert (found.model, found.card, found.run) == (CONFIG, CARD, RUN)
    weights = found.weights()
    assert [path for path, _ in weights] == [path for path, _ in ARRAYS]
    for (_, value), (_, expected) in zip(weights, ARRAYS, strict=True):
        np.testing.assert_array_equal(value, expected)
        assert value.dtype == expected.dtype
    assert found.weights_bytes == (folder / "weights.npz").stat().st_size
    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, check=False)
    assert done.returncode == 0


def test_float16_rounds_matrices_and_keeps_counts() -> None:
    (_, matrix), (_, counts), (_, longest) = unpack_weights(pack_weights(ARRAYS, "float16"))
    assert matrix.dtype == np.float32 and matrix[0, 1] == np.float16(0.1) != ARRAYS[0][1][0, 1]
    np.testing.assert_allclose(matrix, ARRAYS[0][1], rtol=1e-3)
    np.testing.assert_array_equal(counts, ARRAYS[1][1])
    assert (longest, longest.dtype) == (7, np.int32)


@pytest.mark.parametrize("value", [7e4, np.nan])
def test_what_float16_cannot_hold_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r"float16 can hold.* in big"):
        pack_weights([("big", np.full((1, 1), value, np.float32))], "float16")
    with pytest.raises(ValueError, match="float16; got 'int8'"):
        pack_weights([], "int8")


def test_many_arrays_keep_their_order() -> None:
    arrays = [(f"{i % 3}", np.full((1,), i, np.float32)) for i in range(120)]
    assert [int(value[0]) for _, value in unpack_weights(pack_weights(arrays))] == [*range(120)]


@pytest.mark.parametrize("name", ["pretrained.json", "card.json", "weights.npz"])
@pytest.mark.parametrize("damage", ["altered", "missing", "cut"])
def test_a_file_that_is_not_as_it_was_is_named(folder: Path, name: str, damage: str) -> None:
    path = folder / name
    data = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        # Still JSON: another character of the vocabulary, another word of the card.
        changed = data.replace(b'"c"', b'"d"').replace(b"No", b"All").replace(b"PK", b"PX")
        path.write_bytes(changed if damage == "altered" else data[:-10])
        assert path.read_bytes() != data
    with pytest.raises(PretrainedError, match=name):
        read_folder(folder).weights()


@pytest.mark.parametrize("number", [0, 2, "1", None])
def test_another_format_is_refused(folder: Path, number: object) -> None:
    path = folder / "pretrained.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": number}))
    with pytest.raises(PretrainedError, match=rf"has format {number!r}, but this .* format 1"):
        read_folder(folder)


def test_a_configuration_of_another_version_is_refused(folder: Path) -> None:
    model = {**CONFIG.to_dict(), "attention": 3}

    class Other:
        def to_dict(self) -> dict:
            return model

    write_folder(folder, Other(), ARRAYS, CARD)
    with pytest.raises(PretrainedError, match="from another version .*attention"):
        read_folder(folder)


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://host/weights.npz", "https:///weights.npz", "weights.npz"),
        *("https://host/my weights.npz", "https://host/wägungen.npz"),
    ],
)
def test_weights_have_an_address_of_the_web(tmp_path: Path, url: str) -> None:
    with pytest.raises(ValueError, match="expected an address http://HOST/... or https"):
        write_folder(tmp_path, CONFIG, ARRAYS, CARD, weights_url=url)


def test_a_checksum_file_that_lacks_a_file_is_refused(folder: Path) -> None:
    (folder / "SHA256SUMS").write_text("0  pretrained.json\n")
    with pytest.raises(PretrainedError, match=r"lacks card\.json, weights\.npz"):
        read_folder(folder)


def test_a_name_finds_what_comes_with_the_package(shipped: Path) -> None:
    assert pretrained_names() == ["abc"]
    assert find_pretrained("abc").folder == shipped
    assert find_pretrained(shipped).folder == shipped


def test_a_folder_of_that_name_comes_first(
    shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path / "abc")
    (tmp_path / "abc" / "abc").mkdir()  # Holds no model: it hides nothing.
    assert find_pretrained("abc").folder == shipped
    write_folder(Path("abc"), CONFIG, ARRAYS, Card(name="mine"))
    assert find_pretrained("abc").card.name == "mine"


def test_an_unknown_name_lists_the_others_and_the_nearest(shipped: Path) -> None:
    with pytest.raises(PretrainedError, match=r"\(abc\) .*; got 'abd': did you mean abc\?"):
        find_pretrained("abd")
    with pytest.raises(PretrainedError, match="got 'nothing-like-it'$"):
        find_pretrained("nothing-like-it")


def test_the_table_is_made_of_the_cards(shipped: Path) -> None:
    write_folder(shipped.parent / "b", CONFIG, ARRAYS, Card(name="b"), weights_url="http://x/y")
    head, line, first, second = pretrained_table().splitlines()
    assert len(head) == len(line) == len(first) == len(second)
    cells = [cell.strip() for cell in first.split("|")[1:-1]]
    assert cells == ["abc", "lstm", "letters", "2.5000 +- 0.1250 bpc", "40", "0.0 MB"]
    assert "0.0 MB, by URL" in second


def test_a_card_is_a_page_of_what_is_known() -> None:
    page = card_markdown(CARD)
    for value in ("# abc", "Three letters.", "public domain", "`python -m train.char_lm --seed 3`"):
        assert value in page
    assert "2.5000 +- 0.1250 bpc, 9 sequences of the test split, 50 importance samples each" in page
    assert "\n    a *b*\n    cab\n" in page
    assert card_markdown(Card(name="x")) == "# x\n"
    one = dataclasses.replace(CARD.test, num_samples=1)
    assert "1 importance sample each |" in card_markdown(dataclasses.replace(CARD, test=one))
    exact = dataclasses.replace(CARD.test, num_samples=None)
    assert "split, exact |" in card_markdown(dataclasses.replace(CARD, test=exact))
    assert Card.from_dict(json.loads(json.dumps(CARD.to_dict()))) == CARD
