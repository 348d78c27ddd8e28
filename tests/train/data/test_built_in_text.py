"""The datasets of text that come with every Python."""

import re
import sysconfig
from pathlib import Path

import pytest

from train.data.splits import SPLITS
from train.data.text.built_in import BUILT_IN, python_docs_sentences
from train.data.text.corpus import Corpus, load_corpus
from train.data.text.pydoc_corpus import pydoc_sentences, sentences
from train.support.errors import UserError


@pytest.fixture(scope="module", params=BUILT_IN)
def built_in(request: pytest.FixtureRequest) -> Corpus:
    return load_corpus(request.param)


def test_no_test_sentence_occurs_in_train(built_in: Corpus) -> None:
    train, valid, test = (set(getattr(built_in, split)) for split in SPLITS)
    assert not train & test
    assert not train & valid
    assert not valid & test
    assert len(train) + len(valid) + len(test) == sum(
        len(getattr(built_in, split)) for split in SPLITS
    )


def test_built_in_data_are_enough_clean_text(built_in: Corpus) -> None:
    kept = [sentence for split in SPLITS for sentence in getattr(built_in, split)]
    least = {"pydoc": 200_000, "python-docs": 1_200_000}[built_in.name]
    assert least < sum(map(len, kept)) < 2 * least
    assert max(map(len, kept)) <= 288
    for sentence in kept:
        assert sentence.isascii() and sentence.isprintable()
        assert sentence == " ".join(sentence.split())
        assert re.search(r"[.?!:;][\"')*]*$", sentence)
    assert 0.07 < len(built_in.test) / len(kept) < 0.13
    assert 0.07 < len(built_in.valid) / len(kept) < 0.13
    # The few that are too long are counted, by the split they would be in.
    assert sum(built_in.num_filtered.values()) == len(BUILT_IN[built_in.name]()) - len(kept) > 0


def test_built_in_data_are_the_same_every_time(built_in: Corpus) -> None:
    assert load_corpus(built_in.name) == built_in


def test_the_docstrings_are_those_of_the_library_that_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(UserError, match=r"no sources of its standard library.*dataset: pydoc, ptb"):
        load_corpus("python-docs")
    (tmp_path / "json" / "test").mkdir(parents=True)
    for name in ("enum.py", "site_of_mine.py", "json/__init__.py", "json/test/of_json.py"):
        where = name.replace("/", " ").removesuffix(".py")
        lines = [f'"""This is {where}."""', "class A:", f'    """A class of {where}, too."""']
        (tmp_path / name).write_text("\n".join(lines))
    assert python_docs_sentences() == [
        *pydoc_sentences(),
        "This is enum.",
        "A class of enum, too.",
        "This is json __init__.",
        "A class of json __init__, too.",
    ]


def test_sentences_of_a_rendered_page() -> None:
    page = """\
The "with" statement
********************

The "with" statement wraps a block (see section Context
Managers), e.g. "open()" or well-
known others [1]. "__enter__()" is invoked first. Is “that” so?

   with_stmt ::= "with" expression

* A list item that is wrapped
  over two lines.

* Another item; see Calls:

     >>> with A() as a:
     ...     Never printed.

Note:

  Indented prose is prose.

class Foo(Bar)

   Return the object.

+-----+-----+
| A b | c d.|
+-----+-----+

   # Comments are code.
   x = 1.

[1] A footnote of some words.
"""
    assert list(sentences(page)) == [
        'The "with" statement wraps a block (see section Context Managers), e.g. "open()" or '
        "well-known others.",
        '"__enter__()" is invoked first.',
        'Is "that" so?',
        "A list item that is wrapped over two lines.",
        "Another item; see Calls:",
        "Indented prose is prose.",
        "Return the object.",
        "A footnote of some words.",
    ]
