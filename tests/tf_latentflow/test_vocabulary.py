"""The character vocabulary."""

import numpy as np
import pytest

from tf_latentflow.vocabulary import PADDING_ID, UNKNOWN_ID, Vocabulary


def test_ids_follow_the_given_order_from_two() -> None:
    vocabulary = Vocabulary("cab")
    assert vocabulary.characters == ("c", "a", "b")
    assert vocabulary.size == 5
    ids = vocabulary.encode("abc")
    assert ids.dtype == np.int32
    assert ids.tolist() == [3, 4, 2]


def test_from_texts_sorts_whatever_the_order_of_the_texts() -> None:
    assert Vocabulary.from_texts(["ba", "", "bß "]).characters == (" ", "a", "b", "ß")
    assert Vocabulary.from_texts(["ba"]) == Vocabulary.from_texts(["b", "a"])
    assert Vocabulary.from_texts([]).size == 2


def test_round_trip_and_unknown_characters() -> None:
    vocabulary = Vocabulary.from_texts(["naïve 日本"])
    assert vocabulary.decode(vocabulary.encode("日本 naïve")) == "日本 naïve"
    ids = vocabulary.encode("nxxv")
    assert vocabulary.decode(ids) == "n\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}v"
    assert ids.tolist().count(UNKNOWN_ID) == 2


def test_a_replacement_character_of_the_text_is_not_the_unknown_symbol() -> None:
    vocabulary = Vocabulary.from_texts(["\N{REPLACEMENT CHARACTER}"])
    ids = vocabulary.encode("\N{REPLACEMENT CHARACTER}")
    assert ids.tolist() == [2] != [UNKNOWN_ID]


def test_padding_is_left_out_and_the_empty_text_is_empty() -> None:
    vocabulary = Vocabulary("ab")
    assert vocabulary.decode([2, PADDING_ID, 3, PADDING_ID]) == "ab"
    assert vocabulary.encode("").shape == (0,)
    assert vocabulary.encode("").dtype == np.int32
    assert vocabulary.decode([]) == ""
    assert vocabulary.decode([UNKNOWN_ID]) == "\N{REPLACEMENT CHARACTER}"
    assert vocabulary.decode_drawn(np.array([2, PADDING_ID])) == "a\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("characters", [["ab"], [""], ["a", "b", "a"], [3]])
def test_refuses_what_are_not_distinct_characters(characters: list) -> None:
    with pytest.raises(ValueError, match=r"expected .*; got"):
        Vocabulary(characters)


@pytest.mark.parametrize("ids", [[4], [-1], [[2, 3]], [2.5], ["a"]])
def test_refuses_ids_that_are_none(ids: list) -> None:
    with pytest.raises(ValueError, match=r"expected .*; got"):
        Vocabulary("ab").decode(ids)


def test_refuses_what_is_no_text() -> None:
    with pytest.raises(ValueError, match="expected a text; got bytes"):
        Vocabulary("ab").encode(b"ab")
