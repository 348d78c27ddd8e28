"""Figure 5: what compositions of NLSq do to a Gaussian, with chosen and with learned parameters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm

from bijectors import Compose, NLSq
from train.paper.figures.toy_flow import (
    CENTRES,
    SPREAD,
    draw_target,
    fit,
    target_log_prob,
)
from train.paper.job import Drawing, Job
from train.paper.markdown import markdown_table
from train.support.figures import figure_png, new_figure

__all__ = ["composed_maps", "draw", "maps_density", "plane"]

# a, b, c, d, g of four maps `a + b*x + c / (1 + (d*x + g)**2)`; the first acts on z, the last gives
# eps. Each has one flat place, and three of them make the valleys between four modes.
MAPS = (
    (-1.1, 0.9, 1.1, 0.8, 0.6),
    (1.4, 0.9, -0.9, 1.5, -0.3),
    (0.4, 1.0, 2.8, 0.5, 1.5),
    (-0.9, 1.0, -2.4, 0.6, -2.6),
)

_STEPS = {"tiny": 100, "cpu": 5_000, "paper": 20_000}
_FLOWS = ("nlsq", "affine")
_NAMES = {"mixture": "the mixture", "nlsq": "AF with NLSq", "affine": "AF with affine maps"}
_TEST_DRAWS = 20_000
_EDGE = 5.0  # Of the plane that is drawn, from -5 to 5 either way.
_CELLS = 250  # Either way.
_CELL = 2 * _EDGE / _CELLS
_BASE_COLOUR, _FINAL_COLOUR = "#b3261e", "#1f4e8c"


def composed_maps() -> Compose:
    """The four maps, eps to z in float64, as a bijector of events `[1]`.

    Raises:
      ValueError: If one of them is not monotone.
    """
    maps = [NLSq(*np.array(parameters), validate_args=True) for parameters in MAPS]
    return Compose([tfp.bijectors.Invert(nlsq) for nlsq in maps])


def maps_density(z: np.ndarray) -> np.ndarray:
    """Density of the maps' z at `z [n]` when `eps ~ N(0, 1)`."""
    eps, log_det = composed_maps().inverse_and_log_det(z[:, None])
    return _normal_density(eps[:, 0].numpy()) * np.exp(log_det.numpy())


def plane() -> np.ndarray:
    """Centres of the cells that the plane is cut into, `[n, n, 2]`."""
    axis = (np.arange(_CELLS, dtype=np.float32) + 0.5) * _CELL - _EDGE
    return np.stack(np.meshgrid(axis, axis), axis=-1)


def draw(job: Job) -> Drawing:
    """Draws the figure; the two flows of its lower half are fitted first, where they are not yet.

    Args:
      job: Needs no runs. Fitted flows are kept in its folder.
    """
    # So small that a CPU is enough, and the numbers do not depend on the device.
    with tf.device("/cpu:0"):
        fitted = {name: fit(name, _STEPS[job.scale], job.seed, job.folder) for name in _FLOWS}
        log_probs = {"mixture": target_log_prob}
        log_probs |= {name: tf.function(fitted[name].flow.log_prob) for name in _FLOWS}
        z = draw_target(_TEST_DRAWS, tf.constant([job.seed, 2]))
        on_test = {name: log_prob(z).numpy() for name, log_prob in log_probs.items()}
        densities = {name: np.exp(log_prob(plane())) for name, log_prob in log_probs.items()}
    results = {
        name: _result(on_test[name], on_test["mixture"], densities[name]) for name in log_probs
    }
    numbers = {
        "maps": MAPS,
        "centres": CENTRES,
        "spread": SPREAD,
        "steps": _STEPS[job.scale],
        "seed": job.seed,
        "seconds": {name: fitted[name].seconds for name in _FLOWS},
        "test_draws": _TEST_DRAWS,
        "densities": results,
    }
    return Drawing(numbers, _markdown(numbers), _png(densities, results))


def _result(log_prob: np.ndarray, optimum: np.ndarray, density: np.ndarray) -> dict[str, float]:
    """Returns what a density is worth, from its values at the test's draws and on the plane."""
    distances = np.linalg.norm(plane()[..., None, :] - np.array(CENTRES), axis=-1)
    between = density[distances.min(axis=-1) > 3 * SPREAD].sum() * _CELL**2
    return {
        "log_likelihood": float(log_prob.mean()),
        "log_likelihood_stderr": _stderr(log_prob),
        "below_optimum": float((optimum - log_prob).mean()),
        "below_optimum_stderr": _stderr(optimum - log_prob),
        "mass_between": float(between),
    }


def _stderr(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / math.sqrt(values.size))


def _markdown(numbers: dict[str, Any]) -> str:
    title = (
        f"Test log-likelihood of {numbers['test_draws']:,} draws of the mixture, standard errors "
        f"in parentheses; {numbers['steps']:,} steps, seed {numbers['seed']}."
    )
    found = ("log-likelihood [nats]", "below the optimum [nats]", "mass between the modes")
    rows = []
    for name, result in numbers["densities"].items():
        cells = (
            _NAMES[name],
            f"{result['log_likelihood']:.3f} ({result['log_likelihood_stderr']:.3f})",
            f"{result['below_optimum']:.3f} ({result['below_optimum_stderr']:.3f})",
            f"{result['mass_between']:.1%}",
        )
        rows.append(cells)
    table = markdown_table({"density": "<"} | dict.fromkeys(found, ">"), rows)
    between = "Between the modes: more than 3 standard deviations from every centre."
    return f"{title}\n\n{table}\n\n{between}\n"


def _png(densities: dict[str, np.ndarray], results: dict[str, dict[str, float]]) -> bytes:
    figure = new_figure(9.2, 6.6, dpi=120)
    top, bottom = figure.subfigures(2, 1, height_ratios=(1, 1.1))
    _draw_maps(*top.subplots(1, 2))
    panels = bottom.subplots(1, len(densities), sharey=True)
    for axes, (name, density) in zip(panels, densities.items(), strict=True):
        image = axes.imshow(
            density,
            origin="lower",
            extent=(-_EDGE, _EDGE, -_EDGE, _EDGE),
            cmap="Blues",
            # By the square root, so that thin bridges between the modes show.
            norm=PowerNorm(0.5, 0, densities["mixture"].max()),
        )
        axes.set_title(f"(c) {_NAMES[name]}\n{results[name]['log_likelihood']:.3f} nats")
        axes.set_xlabel("$z_1$")
    panels[0].set_ylabel("$z_2$")
    bottom.colorbar(image, ax=panels, label="density", shrink=0.8)
    return figure_png(figure)


def _draw_maps(left: Axes, right: Axes) -> None:
    """Draws the composed maps, and the density before and after them."""
    eps, z = np.linspace(-3, 3, 601), np.linspace(-7, 7, 1401)
    left.plot(eps, composed_maps().forward(eps[:, None])[:, 0], color=_FINAL_COLOUR)
    left.set(xlabel=r"$\epsilon$", ylabel="$z$")
    left.set_title("(a) four NLSq maps, composed")
    for values, colour, label in (
        (_normal_density(z), _BASE_COLOUR, r"base, $p(\epsilon)$"),
        (maps_density(z), _FINAL_COLOUR, "final, $p(z)$"),
    ):
        right.plot(z, values, color=colour, label=label)
        right.fill_between(z, values, color=colour, alpha=0.15)
    right.set(xlabel=r"$\epsilon$, $z$", ylabel="density", ylim=(0, None))
    right.set_title("(b) densities before and after")
    right.legend()
    for axes in (left, right):
        axes.grid(alpha=0.3)


def _normal_density(eps: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * eps**2) / math.sqrt(2 * math.pi)
