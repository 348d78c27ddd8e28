from __future__ import annotations

from train.samples.text import share_of_known_words


def test_every_occurrence_of_a_word_counts() -> None:
    assert share_of_known_words(["a a b", "c"], ["c d", "a"]) == 3 / 4
    assert share_of_known_words(["", " "], ["a"]) == 0
