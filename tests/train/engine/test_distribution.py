"""Training on several devices: the same as on one."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.paths import ROOT, environment
from train.backend.devices import make_strategy
from train.engine.workers.team import ALONE


@pytest.fixture(scope="module")
def results() -> dict[str, dict]:
    """How far steps on two devices are from those on one."""
    return run("steps")


def run(what: str) -> dict[str, dict]:
    """What `two_devices.py` prints."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests/two_devices.py"), what],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_the_same(found: dict[str, float]) -> None:
    assert found["moved"] > 1e-2
    assert max(found["terms"], found["weights"]) < 1e-6
    assert found["copies"] == 0


def test_steps_noise_and_dropout_are_those_of_the_whole_batch(results: dict[str, dict]) -> None:
    assert_the_same(results["noise"])


@pytest.mark.nightly
def test_plain_gradient_descent_is_that_of_the_whole_batch() -> None:
    assert_the_same(run("sgd"))


def test_a_step_that_is_not_finite_is_skipped_on_all_devices(results: dict[str, dict]) -> None:
    assert results["poisoned"] == {"failure": [7, "reconstruction"], "moved": 0, "iterations": 0}


@pytest.mark.nightly
def test_a_run_resumes_on_as_many_devices_and_on_one() -> None:
    found = run("resumed")
    whole, two, one = (found[name] for name in ("whole", "two", "one"))
    assert whole["resumed"] == []
    assert two["resumed"] == one["resumed"] == [2]
    assert whole["sha256"] == whole["saved_sha256"] == two["sha256"] == two["saved_sha256"]
    np.testing.assert_allclose(one["weights"], whole["weights"], atol=1e-6)


@pytest.mark.parametrize("num_gpus", [0, 1, 3])
def test_strategy(num_gpus: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def note(kind: str) -> None:
        monkeypatch.setattr(tf.distribute, kind, lambda *args: made.append((kind, *args)))

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind] * num_gpus)
    note("OneDeviceStrategy")
    note("MirroredStrategy")
    make_strategy.__wrapped__(ALONE)
    expected = {0: ("OneDeviceStrategy", "/cpu:0"), 1: ("OneDeviceStrategy", "/gpu:0")}
    assert made == [expected.get(num_gpus, ("MirroredStrategy",))]
