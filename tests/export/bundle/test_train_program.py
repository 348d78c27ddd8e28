"""A tiny training as a bundle: exported, run by JAX alone, killed, resumed, and brought home."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from export import import_weights, train_program
from export.bundle.device.contents import Bundle
from tests.models import LEAST_FLOW
from tf_latentflow import ModelConfig, Noise, build_model, noise
from train import evaluate
from train.backend.devices import make_model_and_optimizer
from train.backend.event_files import SECONDS, read_scalar
from train.backend.split_evaluation import batch_spec
from train.backend.step import TrainStep
from train.data.text.config import TextConfig
from train.engine.order import TrainingOrder
from train.engine.schedules import Schedule
from train.engine.workdir import Workdir
from train.runs.saved_model import load_model
from train.support.errors import UserError

STEPS, GROUP = 9, 3
FLAGS = (
    *("--preset", "tiny", "--seed", "2"),
    *("--hidden-size", "8", "--latent-size", "2", "--flow-layers", "1", "--made-units", "4"),
    *("--max-steps", str(STEPS), "--kl-zero", "1", "--kl-ramp", "2", "--eval-every", "4"),
    *("--checkpoint-steps", "2", "--log-steps", "1", "--test-samples", "4"),
    *("--steps-per-call", str(GROUP), "--max-buckets", "2"),
)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = random.Random(0)
    path = tmp_path_factory.mktemp("data")
    # Two lengths to train on and one to test on: as many programs as buckets have to be compiled.
    for split, words, count in (("train", (2, 4), 60), ("valid", (3,), 9), ("test", (3,), 11)):
        lines = [
            " ".join(rng.choices(("cat", "dog", "sun"), k=rng.choice(words))) for _ in range(count)
        ]
        (path / f"{split}.txt").write_text("\n".join(lines), encoding="utf-8")
    return path


# All of them at night: a bundle takes half a minute to make and to run.
@pytest.fixture(
    scope="module",
    params=[
        pytest.param(flags, id=name, marks=pytest.mark.nightly)
        for name, flags in (
            ("least", LEAST_FLOW),
            ("codebook", ("--model", "codebook", "--dropout", "0.1")),
            ("af-af", ("--model", "af-af", "--dropout", "0.1")),
        )
    ],
)
def bundle(
    request: pytest.FixtureRequest, dataset: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("bundles") / "tiny"
    flags = [*FLAGS, *request.param, "--dataset", str(dataset)]
    train_program.main([*flags, "--out", str(path)])
    return path


def command(bundle: Path, out: Path, *flags: str) -> list[str]:
    return [sys.executable, str(bundle / "run_bundle.py"), "--out", str(out), *flags]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """That of a machine without TensorFlow, and quick to compile."""
    absent = tmp_path_factory.mktemp("absent")
    for package in ("tensorflow", "keras", "tensorflow_probability", "tf_latentflow", "bijectors"):
        (absent / f"{package}.py").write_text(f"raise ImportError('there is no {package}')")
    flags = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    return {**os.environ, "PYTHONPATH": str(absent), "JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags}


@pytest.fixture(scope="module")
def out(
    bundle: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of a run that was killed once."""
    out = tmp_path_factory.mktemp("runs") / "tiny"
    process = subprocess.Popen(command(bundle, out), env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not (out / "checkpoints" / "step-000000004").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = subprocess.run(
        command(bundle, out, "--part-mib", "1"),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "resumed from the checkpoint of step" in done.stdout
    assert "4 importance samples" in done.stdout
    return out


@pytest.fixture
def noise_of_xla(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without XLA, TensorFlow makes other numbers of the same bits, and of a negative seed."""
    draw = Noise._draw

    def compiled_draw(self: Noise, kind: object, shape: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
        compiled = tf.function(
            lambda *drawn: draw(Noise(*drawn[:2]), kind, drawn[2], dtype), jit_compile=True
        )
        return compiled(self.seed, self.rows, shape)

    monkeypatch.setattr(Noise, "_draw", compiled_draw)
    monkeypatch.setattr(noise, "_hashed", tf.function(noise._hashed, jit_compile=True))


def test_losses_are_those_of_tensorflow_step_by_step(
    bundle: Path, out: Path, noise_of_xla: None
) -> None:
    read = Bundle(bundle)
    settings = read.manifest["settings"]
    config = TextConfig.from_dict(settings["train"])
    sequences = read.sequences("train")
    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    model, optimizer = make_model_and_optimizer(
        config, lambda: build_model(ModelConfig.from_dict(settings["model"])), strategy
    )
    step = TrainStep(config, model, optimizer, strategy, batch_spec(sequences, config.batch_size))
    variables = [*model.trainable_variables, *model.non_trainable_variables, *optimizer.variables]
    for variable, value in zip(variables, read.initial_state(), strict=False):
        variable.assign(value)

    boundaries = read.manifest["programs"]["train"]["boundaries"]
    assert boundaries == [7, 15]
    order = TrainingOrder(config, sequences, boundaries, GROUP)
    schedule = Schedule(config, order.steps_per_epoch, has_kl=True)
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    steps = [line for line in lines if "valid" not in line]
    assert [line["step"] for line in steps] == list(range(1, STEPS + 1))
    assert [line["step"] for line in lines if "valid" in line] == [4, 8, 9]
    for i, line in enumerate(steps):
        ((batch,),) = order.call_at(i, 1).steps
        optimizer.learning_rate.assign(line["learning_rate"])
        assert line["kl_weight"] == schedule.kl_weight(i)
        terms = step([tuple(map(tf.constant, batch))], schedule.kl_weight(i), i)
        expected, found = list(terms), [line[name] for name in terms._fields]
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5, err_msg=f"step {i}")
    assert steps[-1]["learning_rate"] < steps[0]["learning_rate"]  # The decay at the end.


def test_its_result_becomes_a_run(
    out: Path, tmp_path: Path, noise_of_xla: None, capsys: pytest.CaptureFixture[str]
) -> None:
    workdir = tmp_path / "run"
    import_weights.main([str(out / "result"), "--workdir", str(workdir)])
    results = json.loads((workdir / "results.json").read_text())
    with pytest.raises(UserError, match=r"--workdir expects an empty folder or none; .* holds a"):
        import_weights.main([str(out / "result"), "--workdir", str(workdir)])
    assert results == json.loads((workdir / "results.json").read_text())
    (workdir / "results.json").unlink()  # As if it had been killed before it wrote them.
    import_weights.main([str(out / "result"), "--workdir", str(workdir)])
    assert results["train"]["steps"] == STEPS
    folder = Workdir(workdir).tensorboard / "valid"
    losses, seconds = (read_scalar(folder, tag) for tag in ("loss/bpc", SECONDS))
    assert list(losses) == list(seconds) == [4, 8, 9]
    assert list(seconds.values()) == sorted(seconds.values())
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    bounds = [line["valid"]["bpc"] for line in lines if "valid" in line]
    np.testing.assert_allclose(list(losses.values()), bounds, rtol=1e-6)
    assert len(results["train"]["resumed_from_steps"]) == 1
    capsys.readouterr()
    evaluate.main([str(workdir), "--samples", "4", "--json"])
    expected = json.loads(capsys.readouterr().out)
    assert expected.keys() == results["test"].keys()
    for name, value in expected.items():
        assert results["test"][name] == pytest.approx(value, rel=1e-4, abs=1e-5), name
    # The weights are those of the best validation.
    with np.load(out / "checkpoints" / f"step-{STEPS:09d}" / "best.npz") as best:
        weights = load_model(Workdir(workdir)).trainable_variables
        for weight, name in zip(weights, best.files, strict=True):
            np.testing.assert_array_equal(weight, best[name])


def test_damage_and_other_bundles_are_refused(
    bundle: Path, out: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy, ignore=shutil.ignore_patterns("__pycache__"))
    manifest = copy / "manifest.json"
    manifest.write_text(manifest.read_text() + " ")

    def refusal(*flags: str) -> str:
        done = subprocess.run(
            command(copy, *flags), env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2, done.stderr
        assert done.stderr.count("\n") == 1
        return done.stderr

    assert "result of another training" in refusal(out)
    shutil.copytree(out / "checkpoints", tmp_path / "begun" / "checkpoints")
    assert "checkpoint of another training" in refusal(tmp_path / "begun")
    damaged = shutil.copytree(out / "result", tmp_path / "result")
    (damaged / "result.json").write_text("{")
    assert "delete it to compute it again" in refusal(tmp_path)
    (copy / "programs" / "train-0.bin").write_bytes(b"")
    assert "train-0.bin is damaged" in refusal(tmp_path / "new")
    (copy / "data.npz").unlink()
    with pytest.raises(UserError, match=r"data\.npz is missing"):
        Bundle(copy)
    with pytest.raises(UserError, match="holds no bundle"):
        Bundle(tmp_path)
    manifest.write_text(manifest.read_text().replace('"learning_rate"', '"learning_rats"'))
    with pytest.raises(UserError, match=r"manifest\.json is damaged"):
        Bundle(copy)
    flags = [str(damaged), "--workdir", str(tmp_path / "run")]
    with pytest.raises(UserError, match=r"result\.json is damaged: copy it again"):
        import_weights.main(flags)
    numbers = json.loads((out / "result" / "result.json").read_text())
    del numbers["checksum"]  # Of other numbers than the following.
    seed, numbers["settings"]["train"]["seed"] = numbers["settings"]["train"]["seed"], "2"
    (damaged / "result.json").write_text(json.dumps(numbers))
    with pytest.raises(UserError, match=r"is damaged .expected seed of type int; got '2'"):
        import_weights.main(flags)
    numbers["settings"]["train"] |= {"seed": seed, "power": 2}
    del numbers["settings"]["train"]["jit"]  # As in a run of before, it has its default.
    (damaged / "result.json").write_text(json.dumps(numbers))
    with pytest.raises(UserError, match=r"has train\.power, which this version does not know: exp"):
        import_weights.main(flags)
    (damaged / "weights.npz").write_bytes(b"")
    with pytest.raises(UserError, match=r"weights\.npz is damaged"):
        import_weights.main(flags)
