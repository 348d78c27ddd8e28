"""A model of text that was saved without its characters: no program can read or write them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from export import saved_model, serve
from tests.models import make_model
from train import char_lm, evaluate, sample, score
from train.support.errors import UserError

PROGRAMS: dict[str, tuple[Callable[..., None], tuple[str, ...]]] = {
    "sample": (sample.main, ("{model}",)),
    "evaluate": (evaluate.main, ("{model}", "--dataset", "{text}")),
    "score": (score.main, ("{model}", "{text}")),
    "train": (char_lm.main, ("--init-from", "{model}", "--dataset", "{text}")),
    "export": (saved_model.main, ("{model}", "--out", "{model}-served", "--name", "m")),
    "serve": (serve.main, ("--pretrained", "{model}", "--rest-port", "0", "--grpc-port", "0")),
}


@pytest.mark.parametrize(("main", "flags"), PROGRAMS.values(), ids=PROGRAMS)
def test_it_is_refused_where_it_is_named(
    main: Callable[..., None], flags: tuple[str, ...], tmp_path: Path
) -> None:
    make_model("lstm").save_pretrained(tmp_path / "mine")
    (tmp_path / "text").write_text("a line\n" * 30)
    names = {"model": str(tmp_path / "mine"), "text": str(tmp_path / "text")}
    with pytest.raises(UserError, match="expected a model of text .* has a vocabulary.* has none"):
        main([flag.format(**names) for flag in flags])
