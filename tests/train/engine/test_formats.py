"""Runs of other versions, and what their files lack."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.workdirs import CONFIG, contents
from train.engine.run_state import RunState
from train.engine.workdir import FORMAT, ConfigFileError, Workdir
from train.support.errors import UserError
from train.support.files import read_json, write_json

WAY_OUT = "train again in a new --workdir, or use the version that wrote it"


def rewrite(path: Path, **entries: object) -> None:
    """A run whose config.json has other entries; those that are `...` are taken out."""
    Workdir(path).claim(CONFIG)
    config = {**read_json(path / "config.json"), **entries}
    write_json(path / "config.json", {n: value for n, value in config.items() if value != ...})


@pytest.mark.parametrize(
    ("number", "shown"), [(..., 1), (1, 1), (FORMAT + 1, FORMAT + 1), (-7, -7)]
)
def test_a_run_of_another_format_is_refused_and_kept(
    tmp_path: Path, number: object, shown: int
) -> None:
    rewrite(tmp_path, format=number)
    before = contents(tmp_path)
    message = f"config.json has format {shown}, but this version uses format {FORMAT}: {WAY_OUT}$"
    for refuse in (Workdir(tmp_path).check, Workdir(tmp_path).claim):
        with pytest.raises(ConfigFileError, match=message):
            refuse(CONFIG)
    with pytest.raises(ConfigFileError, match=message):
        Workdir(tmp_path).read_config()
    assert contents(tmp_path) == before


@pytest.mark.parametrize("number", ["x", "2", None, [2], {}, True, 2.0, "y" * 10**6])
def test_a_damaged_format_is_one_line(tmp_path: Path, number: object) -> None:
    rewrite(tmp_path, format=number)
    with pytest.raises(ConfigFileError, match="is damaged, its format is .*: train again") as error:
        Workdir(tmp_path).check(CONFIG)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize(
    ("train", "says"),
    [
        ({**CONFIG["train"], "power": 2}, "has train.power, which this version does not know"),
        ({"model": "af-af", "sizes": [1, 2]}, "lacks train.seed"),
        (
            {"model": "af-af", "sizes": [1, 2], "a": 0, "b": 0},
            "has train.a, train.b, which this version does not know, and lacks train.seed",
        ),
        *(({}, "lacks train.model, train.seed, train.sizes"), (None, "lacks train")),
        *(([1], "lacks train"), ("x", "lacks train"), (..., "lacks train")),
    ],
)
def test_a_run_with_other_fields_is_refused_by_their_names(
    tmp_path: Path, train: object, says: str
) -> None:
    rewrite(tmp_path, train=train)
    with pytest.raises(ConfigFileError, match=f"config.json {says}: {WAY_OUT}$"):
        Workdir(tmp_path).check(CONFIG)
    Workdir(tmp_path).check({"dataset_sha256": "ab"})


def test_a_run_from_before_a_field_has_its_default(tmp_path: Path) -> None:
    Workdir(tmp_path).claim(CONFIG)
    before = (tmp_path / "config.json").read_text()
    defaults = {"train": {"seed": 7, "weight_decay": 0.0, "betas": (0.9, 0.99)}}
    new = {"weight_decay": 0.0, "betas": (0.9, 0.99)}
    asked = {**CONFIG, "train": {**CONFIG["train"], **new}}
    workdir = Workdir(tmp_path, defaults)
    workdir.claim(asked)
    assert (tmp_path / "config.json").read_text() == before
    train = {**CONFIG["train"], **new, "sizes": [1, 2], "betas": [0.9, 0.99]}
    assert workdir.read_config()["train"] == train  # The seed is its own.
    del workdir
    asked["train"]["weight_decay"] = 0.1
    with pytest.raises(UserError, match="weight_decay is 0.0, not 0.1"):
        Workdir(tmp_path, defaults).check(asked)
    rewrite(tmp_path / "other", train={**CONFIG["train"], "power": 2})
    with pytest.raises(ConfigFileError, match="has train.power, which this version does not know"):
        Workdir(tmp_path / "other", defaults).check(asked)
    rewrite(tmp_path / "old", format=FORMAT - 1)
    with pytest.raises(ConfigFileError, match="has format"):
        Workdir(tmp_path / "old", defaults).check(asked)


def test_a_checkpoint_of_another_version_is_refused() -> None:
    state = RunState().to_dict()
    assert RunState.from_dict(state) == RunState()
    for fields, says in (
        ({**state, "depth": 1}, "has state.depth, which this version does not know"),
        ({n: value for n, value in state.items() if n != "step"}, "lacks state.step"),
        ({**state, "plateau": {"best": None}}, "lacks state.plateau.waited, state.plateau.scale"),
        ({**state, "plateau": None}, "lacks state.plateau"),
    ):
        with pytest.raises(UserError, match=f"the checkpoint {says}: start a new run"):
            RunState.from_dict(fields)
