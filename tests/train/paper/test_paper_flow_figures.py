"""Figures 5 and 7 of the paper: what NLSq can do, and how long sampling takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
import tensorflow as tf
from scipy.integrate import trapezoid

from train.benchmark.sweeps import Point, Sweep, measure
from train.paper.figures import nlsq_densities, sampling_time, toy_flow
from train.paper.job import Drawing, Job

PNG = b"\x89PNG"


def test_the_composed_maps_are_monotone_and_their_density_has_four_modes() -> None:
    maps = nlsq_densities.composed_maps()
    eps = np.linspace(-5, 5, 2001)
    z = maps.forward(eps[:, None]).numpy()[:, 0]
    assert (np.diff(z) > 0).all()
    np.testing.assert_allclose(maps.inverse(tf.identity(z[:, None]))[:, 0], eps, atol=1e-9)
    grid = np.linspace(-12, 12, 24_001)
    density = nlsq_densities.maps_density(grid)
    np.testing.assert_allclose(trapezoid(density, grid), 1, atol=1e-6)
    inner = density[1:-1]
    peaks = inner[(inner > density[:-2]) & (inner > density[2:])]
    valleys = inner[(inner < density[:-2]) & (inner < density[2:])]
    assert len(peaks) == 4
    assert valleys.max() < peaks.min() / 5


def test_the_target_is_the_density_of_its_draws() -> None:
    z = toy_flow.draw_target(50_000, tf.constant([3, 4]))
    centres = np.array(toy_flow.CENTRES)
    distances = np.linalg.norm(z.numpy()[:, None] - centres, axis=-1)
    np.testing.assert_allclose(np.bincount(distances.argmin(axis=1)) / len(z), 0.25, atol=0.01)
    np.testing.assert_allclose(
        (distances.min(axis=1) ** 2).mean(), 2 * toy_flow.SPREAD**2, rtol=0.02
    )
    assert integral(toy_flow.target_log_prob) == pytest.approx(1, abs=1e-4)


def no_runs(name: str) -> NoReturn:
    raise AssertionError(f"asked for the run {name}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("figure5")


@pytest.fixture(scope="module")
def figure5(folder: Path) -> Drawing:
    return nlsq_densities.draw(Job("tiny", 0, no_runs, folder))


@pytest.mark.nightly
def test_figure_5_is_drawn(figure5: Drawing) -> None:
    assert figure5.picture.startswith(PNG)
    assert json.loads(json.dumps(figure5.numbers, allow_nan=False))["steps"] == 100
    optimum, nlsq, affine = figure5.numbers["densities"].values()
    assert optimum["below_optimum"] == 0
    assert 0 < nlsq["below_optimum"] < affine["below_optimum"]
    assert f"{nlsq['log_likelihood']:.3f}" in figure5.text


@pytest.mark.nightly
@pytest.mark.usefixtures("figure5")
@pytest.mark.parametrize("scalar", ["nlsq", "affine"])
def test_flows_learn_and_what_is_fitted_is_not_fitted_again(
    folder: Path, scalar: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy_flow, "_train", None)
    fitted = toy_flow.fit(scalar, 100, 0, folder)
    assert fitted.losses.shape == (100,)
    assert fitted.losses[-10:].mean() < fitted.losses[:10].mean() - 0.5
    # The weights are those at the end, and their density is normalised.
    z = toy_flow.draw_target(5_000, tf.constant([5, 6]))
    loss = -tf.reduce_mean(fitted.flow.log_prob(z)).numpy()
    assert loss == pytest.approx(fitted.losses[-10:].mean(), abs=0.1)
    assert integral(fitted.flow.log_prob) == pytest.approx(1, abs=0.01)


@pytest.mark.nightly
@pytest.mark.usefixtures("figure5")
def test_the_same_seed_gives_the_same_flow(folder: Path, tmp_path: Path) -> None:
    first, second = (toy_flow.fit("affine", 100, 0, where) for where in (folder, tmp_path))
    np.testing.assert_array_equal(first.losses, second.losses)
    for a, b in zip(first.flow.weights, second.flow.weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_density_that_overflows_is_zero() -> None:
    flow = toy_flow.ToyFlow("affine")
    for weight in flow.weights:
        weight.assign(weight + 1)
    assert flow.log_prob(tf.constant([[1e19, -1e19]])).numpy() == -np.inf


def test_figure_7_goes_on_where_it_was_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job, asked, cut = Job("tiny", 0, no_runs, tmp_path), [], ("Nottingham, preset tiny", "lstm", 20)

    def made_up(sweep: Sweep, line: str, length: int, repeats: int) -> Point:
        asked.append((sweep.name, line, length))
        if asked == [*first, cut]:
            raise KeyboardInterrupt
        if asked[-1] == cut:
            return measure(sweep, line, length, repeats)
        return Point(line, length, length / 2, length / 1000)

    text = [("text, preset tiny", line, n) for line in ("lstm", "iaf-scf") for n in (5, 20)]
    first = [*text, ("Nottingham, preset tiny", "lstm", 5)]
    monkeypatch.setattr(sampling_time, "measure", made_up)
    with pytest.raises(KeyboardInterrupt):
        sampling_time.draw(job)
    asked.clear()
    drawing = sampling_time.draw(job)
    assert asked == [cut, *(("Nottingham, preset tiny", "iaf-scf", n) for n in (5, 20))]

    assert drawing.picture.startswith(PNG)
    points = json.loads(json.dumps(drawing.numbers, allow_nan=False))["points"]
    assert [len(points[name]) for name in ("text", "Nottingham")] == [4, 4]
    assert points["text"][2] == {"line": "iaf-scf", "value": 5, "units": 2.5, "seconds": 0.005}
    measured = points["Nottingham"][1]["seconds"]
    assert measured > 0
    assert f"| 20 | {1000 * measured:.1f} | 20.0 |" in drawing.text

    # Times of another device are no part of the picture.
    asked.clear()
    monkeypatch.setattr(sampling_time, "_device", lambda: "another")
    with pytest.raises(KeyboardInterrupt):
        sampling_time.draw(job)
    assert asked == [*first, cut]


@pytest.mark.parametrize(
    ("lstm", "flow", "expected"),
    [
        ((1, 2, 4), (2, 3, 4), None),
        ((1, 2, 4), (2, 2.5, 3), 20 + 20 / 3),
        ((1, 2, 4), (0.5, 1, 2), 10),
        ((1, 2, 4), (0.5, 3, 2), 20 + 20 / 3),  # Faster at once, but not for good.
    ],
)
def test_from_which_length_the_flow_is_faster(
    lstm: tuple[float, ...], flow: tuple[float, ...], expected: float | None
) -> None:
    points = [
        Point(line, length, 1.0, seconds)
        for line, times in (("lstm", lstm), ("iaf-scf", flow))
        for length, seconds in zip((10, 20, 40), times, strict=True)
    ]
    assert sampling_time.crossing(points) == (expected and pytest.approx(expected))


def integral(log_prob) -> float:
    """Of a density of the plane, over a wide grid."""
    axis = np.linspace(-10, 10, 401, dtype=np.float32)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1)
    return float(np.exp(log_prob(grid)).sum() * (axis[1] - axis[0]) ** 2)
