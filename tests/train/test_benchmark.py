"""The benchmark: what it counts against the models' own weights, and the program itself."""

from __future__ import annotations

import json
import os
from pathlib import Path

import keras
import pytest

from bijectors.tables import TIME_STRUCTURES
from tests.models import make_model
from tf_latentflow import ModelConfig
from tf_latentflow.config.choices import (
    CONDITIONER_INPUTS,
    CONDITIONERS,
    EMISSIONS,
    EMITTERS,
    INFERENCE_NETWORKS,
)
from train.benchmark import __main__ as benchmark
from train.benchmark import operations
from train.benchmark.load import OtherLoad
from train.benchmark.pictures import sweep_png
from train.benchmark.real_run import measure_real_run
from train.benchmark.rows import ROWS
from train.benchmark.sweeps import PICTURES, Point
from train.support.errors import UserError

LOOKED_UP = ("positions", "initial")  # Rows of tables, and what is done once a sequence.


def products_of(layer: keras.Layer) -> int:
    return sum(
        weight.shape[0] * weight.shape[1]
        for weight in layer.trainable_variables
        if len(weight.shape) == 2 and not any(word in weight.path for word in LOOKED_UP)
    )


def not_multiplied(model: keras.Model) -> int:
    """Entries of the first matrices of LSTMs that are multiplied by the embedding beforehand."""
    inference = getattr(model, "inference_network", None)
    kernels = inference.bilstm.input_kernels if hasattr(inference, "bilstm") else ()
    kernels = [model.stack.input_kernel] if hasattr(model, "stack") else kernels
    return sum((kernel.shape[0] - model.config.vocab_size) * kernel.shape[1] for kernel in kernels)


TABLES = {
    "inference": INFERENCE_NETWORKS,
    "emitter": EMITTERS,
    "time": TIME_STRUCTURES,
    "conditioner": CONDITIONERS,
    "conditioner_input": CONDITIONER_INPUTS,
    "emission": EMISSIONS,
}
CONVOLUTIONS = {"inference": "conv:1", "conditioner": "conv:2", "emitter": "conv:3"}


@pytest.mark.parametrize(
    "name, choices",
    [
        *((name, {}) for name in ("lstm", "af-af", "af-scf", "iaf-scf", "af-only", "af-indep")),
        ("lstm", {"emission": "made"}),
        ("chords", {}),
        ("af-af", CONVOLUTIONS),
        ("af-scf", {"inference": "local", "conditioner": "attention:1", "time_layers": 2}),
        ("af-scf", {"inference": "local", "conditioner": "window:3"}),
    ],
)
def test_every_matrix_is_multiplied_once_a_symbol(name: str, choices: dict[str, object]) -> None:
    model = make_model(name, **choices)
    assert model.config.vocab_size < model.config.hidden_size
    products = products_of(model) - not_multiplied(model)
    # The embedding is looked up too, and multiplied with for the logits.
    assert operations.elbo_operations(model.config, 1, 1) == 2 * products
    assert operations.train_operations(model.config, 3, 5) == 3 * 3 * 5 * 2 * products
    inference = products - operations.sample_operations(model.config, 1, 1) / 2
    with_samples = operations.elbo_operations(model.config, 1, 1, 10)
    assert with_samples == 2 * (inference + 10 * (products - inference))


@pytest.mark.parametrize("conditioner", ["conv:2", "window:3"])
def test_layers_of_coarser_scales_have_fewer_steps(conditioner: str) -> None:
    choices = {**CONVOLUTIONS, "conditioner": conditioner}
    model = make_model("af-af", **choices, time="multiscale", time_layers=3)
    products = products_of(model) - products_of(model.prior)
    for share, stage in zip((1, 1 / 2, 1 / 4), model.prior.stages, strict=True):
        maps, network = sum(map(products_of, stage.networks)), stage.time_network
        if network:  # It maps every other one of its steps.
            maps /= 2
            # A window computes nothing at the steps between, beyond what it reads of them.
            everywhere = network if conditioner == "conv:2" else network.embedding
            maps += (products_of(network) + products_of(everywhere)) / 2
        products += share * maps
    assert operations.elbo_operations(model.config, 1, 1) == 2 * products


@pytest.mark.parametrize("field", TABLES)
def test_a_choice_that_is_not_counted_is_refused_by_its_name(
    field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TABLES[field]._places, "new", "nowhere:New")
    # What is not causal takes only some conditioners, and several layers.
    more = {"conditioner": "conv:1", "time_layers": 2} if field == "time" else {}
    config = ModelConfig.from_name("af-af", "tiny", **{field: "new"}, **more)
    refused = f"expected {field} to be one of .*, whose operations are counted in .*; got 'new'"
    with pytest.raises(ValueError, match=refused):
        operations.elbo_operations(config, 1, 1)
    if field in ("time", "emitter"):
        with pytest.raises(ValueError, match=refused):
            operations.step_weights(config)


@pytest.mark.nightly
def test_the_program_writes_what_it_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part = "one MADE (H = 50, 2 x 100)"
    benchmark.main(["--rows", part, "--repeats", "1", "--out", str(tmp_path / "b")])
    printed = capsys.readouterr().out
    results = json.loads((tmp_path / "b" / "benchmark.json").read_text())
    names = [row["name"] for row in results["rows"]]
    assert names == [row.name for row in ROWS if part in row.name]
    for row in results["rows"]:
        assert row["name"] in printed
        assert row["seconds"] > 0 and row["units"] > 0
    assert results["unit_seconds"] > 0 and results["bytes_per_unit"] > 0


@pytest.mark.nightly
def test_a_real_run_is_counted() -> None:
    run = measure_real_run("lstm", 2)
    assert run.steps == 2 and run.characters_per_second > 0
    assert run.page_faults_per_step >= 0 and 0 <= run.kernel_share <= 1


def test_rows_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--rows expects part of a row's name; got 'no such'"):
        benchmark.main(["--rows", "no such", "--out", str(tmp_path / "b")])
    assert not (tmp_path / "b").exists()


def test_pictures_of_sweeps() -> None:
    for sweeps in PICTURES.values():
        measured = [
            (sweep, [Point(line, v, v / 50, v / 9) for line in sweep.lines for v in sweep.values])
            for sweep in sweeps
        ]
        assert sweep_png(measured).startswith(b"\x89PNG")


def test_the_load_of_others_is_what_own_work_does_not_explain(tmp_path: Path) -> None:
    stat, second = tmp_path / "stat", os.sysconf("SC_CLK_TCK")

    def write(user: int, idle: int, waiting: int, stolen: int) -> None:
        seconds = (user, 0, 0, idle, waiting, 0, 0, stolen, 0, 0)
        stat.write_text("cpu  " + " ".join(str(s * second) for s in seconds) + "\ncpu0 1 2 3\n")

    write(user=100, idle=100, waiting=0, stolen=0)
    load = OtherLoad(stat)
    write(user=1100, idle=2000, waiting=100, stolen=1000)
    assert load.share() == pytest.approx(0.5, abs=0.01)  # 2,000 of 4,000, and little of its own.
    assert OtherLoad(tmp_path / "none").share() is None
