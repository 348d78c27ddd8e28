"""The word that figures follow, and how its characters are shown."""

from __future__ import annotations

import pytest

from train.samples.prior_densities.passage import as_code, find_passage, visible


@pytest.mark.parametrize(
    ("sentences", "text", "index"),
    [
        (["a bears b", "groups of", "of groups in", " groups "], " groups ", 2),
        (["bears", "4 bears too", "a b"], " bears ", 1),
        (["", "a cat runs"], "a cat ru", 1),
        (["", "a\tb"], "a\tb", 1),
    ],
)
def test_the_rule_for_a_word(sentences: list[str], text: str, index: int) -> None:
    passage = find_passage(sentences)
    assert (passage.text, passage.index, passage.sentence) == (text, index, sentences[index])


def test_no_word_without_a_character() -> None:
    with pytest.raises(ValueError, match="expected a sentence with a character; got 2"):
        find_passage(["", ""])


def test_every_character_can_be_shown() -> None:
    assert visible("a $\t\N{SNOWMAN}\N{GREEK SMALL LETTER PI}") == "a␣$<9><2603>π"
    assert [as_code(c) for c in (" ", "|", "`")] == ["`␣`", "`\\|`", "`` ` ``"]
