"""Checkpoints: what is saved comes back, and a damaged one is passed over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from train.backend.checkpoints import CheckpointStore, weights_sha256
from train.engine.checkpoint_folders import CheckpointFolders


def objects(units: int = 3) -> dict[str, object]:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units)])
    optimizer = keras.optimizers.Adam(0.1)
    optimizer.build(model.trainable_variables)
    return {"model": model, "optimizer": optimizer, "best": [tf.Variable([1.0, 2.0])]}


def step(made: dict[str, object]) -> None:
    model, optimizer = made["model"], made["optimizer"]
    gradients = [tf.ones_like(v.value) for v in model.trainable_variables]
    optimizer.apply(gradients, model.trainable_variables)
    made["best"][0].assign_add([1.0, 1.0])


def values(made: dict[str, object]) -> list[np.ndarray]:
    variables = [*made["model"].variables, *made["optimizer"].variables, *made["best"]]
    return [np.array(variable) for variable in variables]


def filled(path: Path, steps: int, keep: int = 3) -> list[list[np.ndarray]]:
    """Saves after each of some steps; returns the values at each save."""
    made = objects()
    store = CheckpointStore(path, keep=keep, **made)
    saved = []
    for i in range(1, steps + 1):
        step(made)
        store.save(i, {"step": i, "nothing": None})
        saved.append(values(made))
    return saved


def test_restores_weights_optimizer_slots_lists_and_state(tmp_path: Path) -> None:
    saved = filled(tmp_path / "c", 2)
    made = objects()
    assert CheckpointStore(tmp_path / "c", **made).restore() == {"step": 2, "nothing": None}
    for restored, expected in zip(values(made), saved[-1], strict=True):
        np.testing.assert_array_equal(restored, expected)
    assert int(made["optimizer"].iterations) == 2


def test_keeps_the_newest_only(tmp_path: Path) -> None:
    filled(tmp_path / "c", 5, keep=2)
    assert CheckpointStore(tmp_path / "c", **objects()).steps == [4, 5]


def test_nothing_to_restore(tmp_path: Path) -> None:
    made = objects()
    before = values(made)
    assert CheckpointStore(tmp_path / "c", **made).restore() is None
    assert all(np.array_equal(a, b) for a, b in zip(values(made), before, strict=True))


def data_file(path: Path) -> Path:
    return next(path.glob("variables.data*"))


def truncate(path: Path) -> None:
    file = data_file(path)
    file.write_bytes(file.read_bytes()[:-7])


def flip_bit(path: Path) -> None:
    data = bytearray(data_file(path).read_bytes())
    data[len(data) // 2] ^= 1
    data_file(path).write_bytes(bytes(data))


def empty_index(path: Path) -> None:
    (path / "variables.index").write_bytes(b"")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "truncated": truncate,
    "bit flipped": flip_bit,
    "data missing": lambda path: data_file(path).unlink(),
    "index missing": lambda path: (path / "variables.index").unlink(),
    "index empty": empty_index,
    "state missing": lambda path: (path / "state.json").unlink(),
    "state changed": lambda path: (path / "state.json").write_text('{"step": 7}'),
    "checksums missing": lambda path: (path / "sha256.json").unlink(),
    "checksums no JSON": lambda path: (path / "sha256.json").write_bytes(b"\xff{"),
    "checksums of nothing": lambda path: (path / "sha256.json").write_text("{}"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_checkpoint_falls_back_to_the_one_before(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    saved = filled(tmp_path / "c", 3)
    damage(tmp_path / "c" / "step-000000003")
    made, lines = objects(), []
    store = CheckpointStore(tmp_path / "c", report=lines.append, **made)
    assert store.restore() == {"step": 2, "nothing": None}
    for restored, expected in zip(values(made), saved[1], strict=True):
        np.testing.assert_array_equal(restored, expected)
    assert len(lines) == 1
    assert "step-000000003 is damaged" in lines[0]
    # The run gets to that step again, and its checkpoint then takes the place of the damaged one.
    step(made)
    store.save(3, {"step": 3})
    assert CheckpointStore(tmp_path / "c", **objects()).restore() == {"step": 3}


def test_damaged_ones_take_no_place_among_those_that_are_kept(tmp_path: Path) -> None:
    lines: list[str] = []
    folders = CheckpointFolders(tmp_path, keep=3, report=lines.append)

    def save(step: int) -> None:
        folders.save(step, {"step": step}, lambda path: (path / "variables").write_text("x"))

    for step in (100, 200, 300, 400, 500):
        save(step)
    for path in tmp_path.glob("step-*"):
        (path / "variables").write_text("damaged")
    assert folders.newest() is None
    assert len(lines) == 3 and all("no other is whole: starting anew" in line for line in lines)
    folders = CheckpointFolders(tmp_path, keep=3, report=lines.append)
    for step, newest in ((100, 100), (200, 200), (300, 300), (400, 400), (500, 500)):
        save(step)
        path, state = folders.newest()
        assert state == {"step": newest} and path.name == f"step-{newest:09d}"
    assert folders.steps == [300, 400, 500]


def test_the_message_names_what_is_used_instead(tmp_path: Path) -> None:
    filled(tmp_path / "c", 3)
    for step in (2, 3):
        truncate(tmp_path / "c" / f"step-00000000{step}")
    lines: list[str] = []
    assert CheckpointStore(tmp_path / "c", report=lines.append, **objects()).restore()["step"] == 1
    assert [line.endswith("using step-000000001") for line in lines] == [True, True]


def test_a_save_that_was_cut_short_is_not_seen(tmp_path: Path) -> None:
    filled(tmp_path / "c", 1)
    rest = tmp_path / "c" / ".tmp-1-step-000000002"
    rest.mkdir()
    (rest / "variables.index").write_bytes(b"half")
    made = objects()
    store = CheckpointStore(tmp_path / "c", **made)
    assert store.steps == [1]
    store.save(2, {"step": 2})
    assert store.steps == [1, 2]


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    filled(tmp_path / "c", 1)
    with pytest.raises(ValueError, match="expected a checkpoint of this model"):
        CheckpointStore(tmp_path / "c", **objects(units=4)).restore()


def test_checksum_of_the_weights_depends_on_every_weight() -> None:
    made = objects()
    before = weights_sha256(made["model"])
    assert before == weights_sha256(objects()["model"])
    variable = made["model"].trainable_variables[-1]
    variable.assign(variable + 1e-7)
    assert weights_sha256(made["model"]) != before
