"""Checkpoints: what is saved comes back, and a damaged one is passed over."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bijectors import Execution
from tests.models import make_model
from train.backend import tensorflow
from train.backend.tensorflow import TensorFlowBackend
from train.data.text.config import TextConfig
from train.engine.buckets import padded
from train.engine.checkpoint_folders import CheckpointFolders
from train.engine.order import Call
from train.engine.workdir import FORMAT
from train.engine.workers.team import ALONE
from train.runs.saved_model import weights_sha256
from train.support.digests import sha256_of
from train.support.errors import UserError

SEQUENCES = [np.array([2, 3, 4, 2], np.int32), np.array([5, 2], np.int32)]


def write_to(step: int) -> Callable[[Path], object]:
    return lambda folder: (folder / "variables").write_text(f"variables of step {step}")


def filled(path: Path, steps: int) -> CheckpointFolders:
    folders = CheckpointFolders(path)
    for step in range(1, steps + 1):
        folders.save(step, {"step": step, "nothing": None}, write_to(step))
    return folders


def test_the_newest_comes_back_with_its_state(tmp_path: Path) -> None:
    filled(tmp_path / "c", 2)
    folder, state = CheckpointFolders(tmp_path / "c").newest()
    assert state == {"step": 2, "nothing": None}
    assert (folder / "variables").read_text() == "variables of step 2"


def test_keeps_the_newest_only(tmp_path: Path) -> None:
    folders = filled(tmp_path / "c", 5)
    assert CheckpointFolders(tmp_path / "c").steps == [3, 4, 5]
    folders.save(2, {"step": 2}, write_to(2))  # Later ones do not push it out.
    assert folders.steps == [2, 3, 4, 5]


def test_nothing_to_restore(tmp_path: Path) -> None:
    assert CheckpointFolders(tmp_path / "c").newest() is None


def flip_bit(path: Path) -> None:
    data = bytearray((path / "variables").read_bytes())
    data[len(data) // 2] ^= 1
    (path / "variables").write_bytes(bytes(data))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "truncated": lambda path: (path / "variables").write_text("variables of"),
    "bit flipped": flip_bit,
    "missing": lambda path: (path / "variables").unlink(),
    "empty": lambda path: (path / "variables").write_bytes(b""),
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
    filled(tmp_path / "c", 3)
    damage(tmp_path / "c" / "step-000000003")
    lines: list[str] = []
    folders = CheckpointFolders(tmp_path / "c", report=lines.append)
    folder, state = folders.newest()
    assert state["step"] == 2
    assert (folder / "variables").read_text() == "variables of step 2"
    assert len(lines) == 1
    assert "step-000000003 is damaged" in lines[0]
    # The run gets to that step again, and its checkpoint then takes the place of the damaged one.
    folders.save(3, {"step": 3}, write_to(3))
    assert CheckpointFolders(tmp_path / "c").newest()[1] == {"step": 3}


def test_damaged_ones_take_no_place_among_those_that_are_kept(tmp_path: Path) -> None:
    lines: list[str] = []
    filled(tmp_path, 5)
    for path in tmp_path.glob("step-*"):
        (path / "variables").write_text("damaged")
    folders = CheckpointFolders(tmp_path, report=lines.append)
    assert folders.newest() is None
    assert len(lines) == 3 and all("no other is intact: starting over" in line for line in lines)
    for step in range(1, 6):
        folders.save(step, {"step": step}, write_to(step))
        path, state = folders.newest()
        assert state == {"step": step} and path.name == f"step-{step:09d}"
    assert folders.steps == [3, 4, 5]
    flip_bit(tmp_path / "step-000000004")
    CheckpointFolders(tmp_path).save(6, {"step": 6}, write_to(6))
    assert folders.steps == [3, 4, 5, 6]


def test_the_message_names_what_is_used_instead(tmp_path: Path) -> None:
    filled(tmp_path / "c", 3)
    flip_bit(tmp_path / "c" / "step-000000002")
    (tmp_path / "c" / "step-000000003" / "variables").unlink()
    lines: list[str] = []
    assert CheckpointFolders(tmp_path / "c", report=lines.append).newest()[1]["step"] == 1
    assert [line.partition("(")[2] for line in lines] == [
        "variables is missing): using step-000000001",
        "variables has changed): using step-000000001",
    ]


def test_a_save_that_was_cut_short_is_not_seen(tmp_path: Path) -> None:
    filled(tmp_path / "c", 1)
    rest = tmp_path / "c" / ".tmp-0123-1-step-000000002"
    rest.mkdir()
    (rest / "variables").write_bytes(b"half")
    (tmp_path / "c" / "step-000000009.old").mkdir()  # A user's.
    folders = CheckpointFolders(tmp_path / "c")
    assert folders.steps == [1]
    folders.save(2, {"step": 2}, write_to(2))
    assert folders.steps == [1, 2]


def make_backend(hidden_size: int = 3, **settings: Any) -> TensorFlowBackend:
    config = TextConfig.from_preset("tiny", "lstm", compile_loops=False, **settings)
    make = lambda: make_model("lstm", hidden_size=hidden_size)  # noqa: E731
    return TensorFlowBackend(config, make, SEQUENCES, SEQUENCES)


def step(backend: TensorFlowBackend, rate: float = 0.1) -> None:
    batch = padded(SEQUENCES, np.arange(2), 8, 4)
    backend.read(backend.start(Call(0, [[batch]]), [1.0], [rate]))


def test_a_backend_has_the_settings_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {}

    class Evaluation:
        def __init__(self, model: object, samples: int, batch_size: int, **more: Any) -> None:
            made.update(samples=samples, batch_size=batch_size, **more)

        def __call__(self, sequences: Sequence[Any], seed: int, progress: object) -> tuple:
            return len(sequences), seed

    monkeypatch.setattr(tensorflow, "SplitEvaluation", Evaluation)
    limits = {"batch_size": 8, "max_batch_steps": 99}
    backend = make_backend(seed=3, valid_sequences=1, valid_samples=2, **limits)
    assert backend.validate(print) == (1, 3)
    assert made == {"samples": 2, "importance": False, "team": ALONE, **limits}
    assert make_backend(valid_sequences=0).validate(print) == (2, 0)
    most = backend.model.config.max_length
    likely, unlikely = backend.model.length_model.log_prob([3, most]).numpy()
    assert likely > unlikely  # It is fitted to the lengths.
    rounded = make_backend(mixed_precision=True).model
    assert rounded.execution == Execution(False, "bfloat16") != backend.model.execution
    digests = [weights_sha256(backend.model)]
    for rate in (0.0, 0.1):
        step(backend, rate)
        digests.append(weights_sha256(backend.model))
    assert digests[0] == digests[1] != digests[2]
    assert backend.weights_are_finite()
    weight = backend.model.trainable_variables[-1]
    weight.assign(weight * math.nan)
    assert not backend.weights_are_finite()


def test_all_that_a_training_is_comes_back(tmp_path: Path) -> None:
    backend = make_backend()
    step(backend)
    best = weights_sha256(backend.model)
    backend.keep_best()
    step(backend)
    backend.write(tmp_path)
    # Other variables, and a run of before cannot go on: count FORMAT up, and write the new digest.
    names = repr(sorted(tf.train.list_variables(str(tmp_path / "variables"))))
    assert (FORMAT, sha256_of([names.encode()])[:12]) == (6, "2e5e4af7872e")
    expected = weights_sha256(backend.model)
    step(backend)
    after = weights_sha256(backend.model)
    again = make_backend()
    again.read_state(tmp_path)
    assert weights_sha256(again.model) == expected
    step(again)
    assert weights_sha256(again.model) == after  # So the optimiser's slots came back too.
    for one in (backend, again):
        one.restore_best()
        assert weights_sha256(one.model) == best != expected


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    make_backend().write(tmp_path)
    with pytest.raises(
        UserError, match="is a checkpoint of another model: choose another --workdir"
    ):
        make_backend(hidden_size=4).read_state(tmp_path)


def test_checksum_of_the_weights_depends_on_every_weight() -> None:
    model = make_model("lstm")
    before = weights_sha256(model)
    assert before == weights_sha256(make_model("lstm"))
    variable = model.trainable_variables[-1]
    variable.assign(variable + 1e-7)
    assert weights_sha256(model) != before
