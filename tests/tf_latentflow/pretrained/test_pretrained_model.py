"""Models written as folders and read back, and what they say of strings and piano rolls."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import LEAST_FIELDS, make_model
from tf_latentflow import Card, PretrainedError, from_pretrained
from tf_latentflow.interfaces import batches
from tf_latentflow.pretrained.folder import write_folder
from tf_latentflow.vocabulary import Vocabulary

LETTERS = tuple("abcd")
TEXTS = ["abba", "d", "cadabcada", "bad?"]


@pytest.fixture(scope="module")
def text_model() -> keras.Model:
    model = make_model("af-only", vocabulary=LETTERS, **LEAST_FIELDS)
    model.length_model.fit(np.array([2, 3, 3, 5]))
    return model


@pytest.fixture(scope="module")
def music_model() -> keras.Model:
    return make_model("af-only", emission="bernoulli", **LEAST_FIELDS)


@pytest.mark.parametrize("name", ["codebook", "lstm"])
def test_a_model_comes_back_as_it_was(tmp_path: Path, name: str) -> None:
    model = make_model(name, vocabulary=LETTERS)
    model.length_model.fit(np.array([2, 3, 3, 5]))
    model.save_pretrained(tmp_path / "deep" / "mine", run={"task": "text"})
    again = from_pretrained(tmp_path / "deep" / "mine")
    assert again.config == model.config and again.card == Card(name="mine")
    for ours, theirs in zip(model.variables, again.variables, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    again.save_pretrained(tmp_path / "again")
    saved = from_pretrained(tmp_path / "again")
    assert saved.card.name == "mine" and saved.pretrained.run == {"task": "text"}


def test_half_the_size_is_nearly_the_same_model(tmp_path: Path, text_model: keras.Model) -> None:
    text_model.save_pretrained(tmp_path, Card(name="half"), dtype="float16")
    half = from_pretrained(tmp_path)
    assert half.card.name == "half"
    ours, theirs = (model.log_prob(TEXTS, 5, seed=0) for model in (text_model, half))
    assert not np.array_equal(ours, theirs)
    np.testing.assert_allclose(ours, theirs, atol=0.01)


def test_weights_of_another_model_are_refused(tmp_path: Path, text_model: keras.Model) -> None:
    other = [(variable.path, variable.numpy()) for variable in text_model.variables[:-1]]
    write_folder(tmp_path, text_model.config, other, Card(name="other"))
    with pytest.raises(PretrainedError, match="those of another version of the model"):
        from_pretrained(tmp_path)


def test_the_probability_of_texts_is_that_of_their_ids() -> None:
    lstm = make_model("lstm", vocabulary=LETTERS)
    expected = []
    for text in TEXTS:
        ids = Vocabulary(LETTERS).encode(text)[None]
        expected.append(float(lstm.log_likelihood(ids, [len(text)])[0]))
    np.testing.assert_allclose(lstm.log_prob(TEXTS), expected, rtol=1e-5)
    assert lstm.log_prob(TEXTS).dtype == np.float32


def test_a_text_keeps_its_number_in_other_company(text_model: keras.Model) -> None:
    alone = text_model.log_prob(TEXTS[:1], 5, seed=3)
    np.testing.assert_allclose(text_model.log_prob(TEXTS, 5, seed=3)[:1], alone, rtol=1e-5)
    assert text_model.log_prob(TEXTS[:1], 5, seed=4) != alone
    assert text_model.log_prob(TEXTS[:1], 5) != text_model.log_prob(TEXTS[:1], 5)
    assert text_model.log_prob([]).shape == (0,)


def test_texts_are_drawn_with_their_lengths(text_model: keras.Model) -> None:
    texts = text_model.sample_texts(3, seed=1, lengths=[1, 9, 4])
    assert [len(text) for text in texts] == [1, 9, 4]
    assert set("".join(texts)) <= {*LETTERS, "\N{REPLACEMENT CHARACTER}"}
    assert texts == text_model.sample_texts(3, seed=1, lengths=[1, 9, 4])
    assert texts != text_model.sample_texts(3, seed=2, lengths=[1, 9, 4])
    assert {len(text) for text in text_model.sample_texts(3, seed=1)} <= {1, 2, 3, 4, 5}
    with pytest.raises(ValueError, match=r"expected one length, or 3; got the shape \[2\]"):
        text_model.sample_texts(3, lengths=[1, 2])
    with pytest.raises(ValueError, match="expected whole numbers"):
        text_model.sample_texts(3, lengths=2.5)


def test_a_batch_is_not_larger_than_memory_allows() -> None:
    sequences = [np.zeros(size, np.int32) for size in (9, 4000, 5000, 3)]
    found = [x.shape for _, x, _, _ in batches.batches(sequences, tf.constant([1, 2]))]
    assert found == [(1, 5000), (2, 4000), (1, 3)]  # At most 8192 steps.


def test_lengths_and_each_batch_have_a_seed_of_their_own(
    text_model: keras.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds: list[tuple[int, ...]] = []

    def draw(lengths: tf.Tensor | int, *options: object) -> tf.Tensor:
        seeds.append(tuple(options[-1].numpy()))
        return tf.ones([lengths] if np.ndim(lengths) == 0 else [len(lengths), 1], tf.int32)

    monkeypatch.setattr(batches, "_MOST_ROWS", 2)
    monkeypatch.setattr(text_model.length_model, "sample", draw)
    monkeypatch.setattr(text_model, "sample", draw)
    assert len(text_model.sample_texts(5, seed=1)) == 5
    assert len(seeds) == len(set(seeds)) == 4


def test_texts_are_reconstructed_one_by_one(text_model: keras.Model) -> None:
    again = text_model.reconstruct_texts(TEXTS, seed=0)
    assert [len(text) for text in again] == [len(text) for text in TEXTS]
    assert again[:1] == text_model.reconstruct_texts(TEXTS[:1], seed=0)


def test_rolls_are_drawn_and_read(music_model: keras.Model) -> None:
    rolls = music_model.sample_rolls(3, seed=0, lengths=[4, 9, 1])
    assert [(roll.shape, roll.dtype) for roll in rolls] == [((n, 6), "uint8") for n in (4, 9, 1)]
    lstm = make_model("lstm", emission="bernoulli")
    expected = [float(lstm.log_likelihood(r[None], [len(r)])[0]) for r in rolls]
    np.testing.assert_allclose(lstm.log_prob(rolls), expected, rtol=1e-5)
    again = music_model.reconstruct_rolls([roll.tolist() for roll in rolls], seed=0)
    assert [(roll.shape, roll.dtype) for roll in again] == [((n, 6), "uint8") for n in (4, 9, 1)]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["ab", ""], "1 to 9 steps; got 0 in number 1"),
        (["a" * 10], "1 to 9 steps; got 10 in number 0"),
        ("ab", "a list of texts; got one text"),
        (["ab", 3], "texts; got int as number 1"),
    ],
)
def test_what_is_no_text_is_refused(text_model: keras.Model, texts: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        text_model.log_prob(texts)
    with pytest.raises(ValueError, match=message):
        text_model.reconstruct_texts(texts)


@pytest.mark.parametrize(
    ("roll", "message"),
    [
        (np.zeros((0, 6)), "1 to 9 steps; got 0"),
        (np.zeros((3, 5)), r"rolls \[T, 6\]; got the shape \[3, 5\]"),
        (np.full((3, 6), 2), "of 0 and 1; got other values in number 0"),
        ("ab", "got a text as number 0"),
    ],
)
def test_what_is_no_roll_is_refused(music_model: keras.Model, roll: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        music_model.log_prob([roll])


def test_what_a_model_is_not_of_is_refused(
    text_model: keras.Model, music_model: keras.Model
) -> None:
    lstm = make_model("lstm", vocabulary=LETTERS)
    cases = [
        (lambda: music_model.sample_texts(1), "model of text; got one of music"),
        (lambda: text_model.sample_rolls(1), "model of music; got one of text"),
        (lambda: text_model.reconstruct_rolls([]), "model of music; got one of text"),
        (lambda: lstm.reconstruct_texts(["a"]), "latent flow; got the baseline"),
        (lambda: make_model("lstm").log_prob(["a"]), "knows its vocabulary"),
        (lambda: text_model.sample_texts(0), "at least 1; got 0"),
        (lambda: text_model.sample_texts(1, lengths=10), "lengths from 1 to 9; got 10 to 10"),
        (lambda: text_model.sample_texts(1, temperature=-1), "temperature from 0 to 1000; got"),
        (lambda: text_model.sample_texts(1, seed=(0, 1)), "seed that is a whole number"),
        (lambda: text_model.log_prob(["a"], seed=-1), "seed from 0 to 2147483647; got -1"),
    ]
    for call, message in cases:
        with pytest.raises(ValueError, match=message):
            call()
