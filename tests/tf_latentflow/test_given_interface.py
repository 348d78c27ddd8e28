"""Texts and piano rolls made from given ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from tests.models import LEAST_FIELDS, make_model

CHARACTERS = tuple("abc ")
TEXTS = ["ab", "a éb", "c"]


@pytest.fixture(scope="module")
def text() -> keras.Model:
    sizes = {"vocabulary": CHARACTERS, "vocab_size": len(CHARACTERS) + 2, "max_length": 9}
    return make_model("af-only", **LEAST_FIELDS, **sizes)


@pytest.fixture(scope="module")
def music() -> keras.Model:
    sizes = {"emission": "bernoulli", "vocab_size": 5, "max_length": 9}
    return make_model("af-only", **LEAST_FIELDS, **sizes)


@pytest.fixture(scope="module")
def baseline() -> keras.Model:
    sizes = {"vocabulary": CHARACTERS, "vocab_size": len(CHARACTERS) + 2, "max_length": 9}
    return make_model("lstm", **sizes)


def rolls() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 2, [size, 5]).astype(np.uint8) for size in (3, 5)]


def test_texts_are_continued(text: keras.Model, baseline: keras.Model) -> None:
    for model in (text, baseline):
        made = model.complete_texts(TEXTS, num_particles=4, seed=0)
        for given, whole in zip(TEXTS, made, strict=True):
            assert whole.startswith(given) and len(given) < len(whole) <= 9
        made = model.complete_texts(TEXTS, [4, 5, 6], num_particles=4, seed=0)
        assert [len(whole) for whole in made] == [4, 5, 6]
        cold, again = (
            model.complete_texts(TEXTS, [4, 5, 6], num_particles=4, temperature=0.0, seed=seed)
            for seed in (0, 1)
        )
        assert cold == again
        assert model.complete_texts([], seed=0) == []


def test_blanks_are_filled_in(text: keras.Model) -> None:
    given = ["a*é*", "**b", "c"]
    made = text.fill_in_texts(given, blank="*", num_particles=2, sweeps=1, seed=0)
    for old, new in zip(given, made, strict=True):
        assert len(new) == len(old) and "*" not in new
        assert all(a in (b, "*") for a, b in zip(old, new, strict=True))


def test_texts_are_varied_and_interpolated(text: keras.Model) -> None:
    same = text.vary_texts(TEXTS, 0.0, temperature=0.0)
    assert [len(made) for made in same] == [2, 4, 1]
    ends = text.interpolate_texts(TEXTS[0], TEXTS[1], steps=3)
    assert [len(made) for made in ends] == [2, 3, 4]
    assert ends[0] == same[0] and ends[-1] == same[1]


def test_rolls_are_made_from_rolls(music: keras.Model) -> None:
    given = rolls()
    for old, new in zip(given, music.complete_rolls(given, 7, 4, seed=0), strict=True):
        assert new.dtype == np.uint8 and new.shape == (7, 5)
        np.testing.assert_array_equal(new[: len(old)], old)
    keep = [np.arange(5) < 2 * np.ones([len(roll), 1]) for roll in given]
    made = music.fill_in_rolls(given, keep, num_particles=2, sweeps=1, seed=0)
    for old, new, kept in zip(given, made, keep, strict=True):
        np.testing.assert_array_equal(new[kept], old[kept])
    varied = music.vary_rolls(given, 0.5, seed=0)
    assert [roll.shape for roll in varied] == [roll.shape for roll in given]
    between = music.interpolate_rolls(*given, steps=4)
    assert [roll.shape for roll in between] == [(3, 5), (4, 5), (4, 5), (5, 5)]
    assert set(np.unique(np.concatenate([*varied, *between]))) <= {0, 1}


def test_batches_do_not_affect_the_results(
    text: keras.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made() -> list[list[str]]:
        return [
            text.complete_texts(TEXTS, 7, num_particles=3, seed=2),
            text.vary_texts(TEXTS, 0.7, seed=2),
        ]

    together = made()
    monkeypatch.setattr("tf_latentflow.interfaces.given_batches._MOST_NUMBERS", 54)  # A row each.
    assert made() == together


Case = tuple[str, Callable[[keras.Model], Any], str]
REFUSED: dict[str, Case] = {
    "one text": ("text", lambda m: m.complete_texts("ab"), "put it in brackets"),
    "too short": ("text", lambda m: m.complete_texts(["abc"], 3), "expected lengths above"),
    "lengths": ("text", lambda m: m.complete_texts(TEXTS, [4, 5]), "one length, or 3; got"),
    "blank": ("text", lambda m: m.fill_in_texts(["a"], blank="__"), "blank of one character"),
    "particles": ("text", lambda m: m.complete_texts(TEXTS, num_particles=0), "of at least 1"),
    "memory": (
        "text",
        lambda m: m.complete_texts(TEXTS, num_particles=10**9),
        "at most [0-9]+ for",
    ),
    "kind": ("text", lambda m: m.vary_rolls(rolls(), 0.1), "model of music; got one of text"),
    "other kind": ("music", lambda m: m.vary_texts(TEXTS, 0.1), "model of text; got one of music"),
    "given": ("music", lambda m: m.fill_in_rolls(rolls(), rolls()[:1]), "given of the shapes"),
    "no latents": ("baseline", lambda m: m.vary_texts(TEXTS, 0.1), "which cannot vary"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_made_is_refused(case: Case, request: pytest.FixtureRequest) -> None:
    name, use, message = case
    with pytest.raises(ValueError, match=message):
        use(request.getfixturevalue(name))
