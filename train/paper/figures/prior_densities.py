"""Figure 6 of the paper: the prior's densities p(z[t] | z[:t]) along a word, H = 2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from train.paper.job import Drawing, Job
from train.paper.markdown import markdown_table
from train.samples.prior_densities.densities import Density, prior_densities
from train.samples.prior_densities.passage import Passage, as_code, find_passage
from train.samples.prior_densities.pictures import densities_png

__all__ = ["draw"]

_GRID_SIZES = {"tiny": 32, "cpu": 160, "paper": 200}


def draw(job: Job) -> Drawing:
    """Draws the densities at each character of a word of the validation split.

    The word is "groups", as in the paper, or another by the rule of `find_passage`.

    Args:
      job: Its run `af-af-h2` is a flow on text with `latent_size` 2.

    Raises:
      UserError: If the run or its data cannot be read.
      ValueError: If the latents of the run are not points of a plane.
    """
    model, dataset = job.load("af-af-h2")
    passage = find_passage(dataset.valid)
    (x,) = dataset.encode(model.config, [passage.sentence])
    size = _GRID_SIZES[job.scale]
    densities = prior_densities(model, x, passage.steps, seed=job.seed, size=size)
    picture = densities_png(densities, passage.text)
    numbers = _numbers(passage, densities)
    return Drawing(numbers, _markdown(numbers), picture)


def _numbers(passage: Passage, densities: Sequence[Density]) -> dict[str, Any]:
    return {
        **passage.numbers(),
        "steps": [
            {
                "t": density.step,
                "character": passage.sentence[density.step],
                "z": density.z.tolist(),
                "log_density_nats": density.log_density,
                "mass_shown": density.mass,
                "modes": [mode._asdict() for mode in density.modes],
            }
            for density in densities
        ],
    }


def _markdown(numbers: dict[str, Any]) -> str:
    """Returns the steps as a table."""
    columns = {
        "t": ">",
        "character": "<",
        "log-density at z[t] [nats]": ">",
        "modes: character and mass": "<",
    }
    rows = []
    for step in numbers["steps"]:
        modes = (f"{as_code(m['character'])} {m['mass']:.2f}" for m in step["modes"])
        cells = [
            str(step["t"]),
            as_code(step["character"]),
            f"{step['log_density_nats']:.2f}",
            ", ".join(modes),
        ]
        rows.append(cells)
    string = f"{as_code(numbers['string'])}, a string of the validation split"
    return f"p(z[t] | z[:t]) of the prior along {string}.\n\n{markdown_table(columns, rows)}\n"
