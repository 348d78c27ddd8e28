"""Samples of text, without a model."""

from __future__ import annotations

from types import SimpleNamespace

from train.samples.text import _with_given, share_of_known_words


def test_every_occurrence_of_a_word_counts() -> None:
    assert share_of_known_words(["a a b", "c"], ["c d", "a"]) == 3 / 4
    assert share_of_known_words(["", " "], ["a"]) == 0


def test_what_was_given_stays_as_it_was_written() -> None:
    # The model reads an unknown character as "?", and writes it so.
    assert _with_given("?bc", SimpleNamespace(prompt="éb", fill=None)) == "ébc"
    assert _with_given("?bc", SimpleNamespace(prompt=None, fill="é_c", blank="_")) == "ébc"
    assert _with_given("abc", SimpleNamespace(prompt=None, fill=None)) == "abc"
