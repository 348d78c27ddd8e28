"""The experiments of the paper, and an ablation, row by row, with the runs that reproduce them.

A run is a model on a dataset. A new row is one line. `train.paper.scales` has the sizes of runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["FIGURES", "TABLES", "Figure", "Row", "Run", "Table"]


class Run(NamedTuple):
    """A model that is trained and tested.

    Attributes:
      name: Its name for `--rows`, and in the name of its folder.
      dataset: Value of `--dataset`.
      model: Value of `--model`.
      flags: Further flags of the training program.
      samples: Importance samples of a second test after that of the training, or None.
    """

    name: str
    dataset: str
    model: str
    flags: tuple[str, ...] = ()
    samples: int | None = None


class Row(NamedTuple):
    """A line of a table.

    Attributes:
      label: The row's name in the paper.
      dataset: Value of `--dataset`.
      run: The run that reproduces the row; None for a row that the paper only cites.
      published: The test result of the paper in the table's unit, then its reconstruction and KL
        term if it reports them.
      optional: Whether the row is only reproduced if `--rows` names it.
    """

    label: str
    dataset: str
    run: Run | None
    published: tuple[float, ...]
    optional: bool = False


class Table(NamedTuple):
    """A table of the paper.

    Attributes:
      title: What it shows.
      task: Kind of data, a key of `train.data.tasks.TASKS`.
      rows: The rows in the order of the paper.
    """

    title: str
    task: str
    rows: tuple[Row, ...]


class Figure(NamedTuple):
    """A figure of the paper.

    Attributes:
      title: What it shows.
      module: The module whose function `draw` draws it, from a `train.paper.job.Job`.
      runs: The runs that it needs.
    """

    title: str
    module: str
    runs: tuple[Run, ...] = ()


def _ptb(label: str, name: str, *published: float) -> Row:
    return Row(label, "ptb", Run(name, "ptb", name), published)


def _variant(label: str, run: Run) -> Row:
    return Row(label, run.dataset, run, (), optional=True)


def _changed(name: str, value: str, *others: str) -> Row:
    """The row `codebook` with another value of a flag, and other flags that this needs."""
    label = " ".join([name, value, *(flag.removeprefix("--") for flag in others)])
    folder = label.replace(" ", "-").replace(":", "")
    return Row(label, "ptb", Run(folder, "ptb", "codebook", (f"--{name}", value, *others)), ())


_SETS = ("nottingham", "piano-midi", "musedata", "jsb")


def _music(label: str, model: str, *published: float) -> list[Row]:
    return [
        Row(label, dataset, Run(model, dataset, model), (value,))
        for dataset, value in zip(_SETS, published, strict=True)
    ]


def _joint_notes(label: str, model: str) -> list[Row]:
    """A row that isn't in the paper: the notes of a chord given those above them."""
    flags = ("--emission", "made")
    return [_variant(label, Run(f"{model}-made", name, model, flags)) for name in _SETS]


def _cited(label: str, *published: float) -> list[Row]:
    datasets = _SETS if len(published) == len(_SETS) else ("ptb",)
    return [
        Row(label, dataset, None, (value,))
        for dataset, value in zip(datasets, published, strict=True)
    ]


TABLES: Mapping[str, Table] = {
    "table1": Table(
        "Penn Treebank, test split, bits per character",
        "text",
        (
            *_cited("LSTM (Cooijmans et al., 2017)", 1.38),
            *_cited("AWD-LSTM (Merity et al., 2018)", 1.18),
            _ptb("LSTM (sentence-wise)", "lstm", 1.41),
            _ptb("AF-only", "af-only", 2.90, 0.15, 2.77),
            _ptb("AF / AF", "af-af", 1.42, 0.10, 1.37),
            _ptb("AF / SCF", "af-scf", 1.46, 0.10, 1.43),
            _ptb("IAF / SCF", "iaf-scf", 1.63, 0.21, 1.55),
            # Section 6 and appendix E say, without numbers, that the results are the same.
            _variant("codebook, not in the paper", Run("codebook", "ptb", "codebook")),
            _variant("multiscale, not in the paper", Run("multiscale", "ptb", "multiscale")),
            _variant(
                "multiscale with codebooks, not in the paper",
                Run("multiscale-codebook", "ptb", "multiscale-codebook"),
            ),
            _variant("AF / AF, K = 100", Run("af-af-k100", "ptb", "af-af", samples=100)),
            _variant("AF / AF, H = 5", Run("af-af-h5", "ptb", "af-af", ("--latent-size", "5"))),
            _variant(
                "AF / AF, H = 80",
                Run("af-af-h80", "ptb", "af-af", ("--latent-size", "80", "--made-units", "100")),
            ),
        ),
    ),
    "table2": Table(
        "Ablations on Penn Treebank, test split, bits per character",
        "text",
        (
            _ptb("AF / AF", "af-af", 1.42, 0.10, 1.37),
            _ptb("- NLSq", "af-af-affine", 1.50, 0.11, 1.51),
            _ptb("- AF hidden", "af-indep", 1.57, 0.14, 1.57),
            _ptb("- AF hidden and NLSq", "af-indep-affine", 1.56, 0.29, 1.56),
        ),
    ),
    "ablation": Table(
        "One choice of `codebook` changed at a time, Penn Treebank, test split, bits per character",
        "text",
        (
            _ptb("codebook", "codebook"),
            _changed("conditioner-input", "latents"),
            *(_changed("emitter", value) for value in ("local", "bilstm")),
            _changed("inference", "local", "--emitter", "local"),
            _changed("inference", "bilstm", "--emitter", "local"),
            *(_changed("scalar", f"mixture:{k}") for k in (1, 2, 27)),
            *(_changed("scalar", value) for value in ("affine", "nlsq", "spline")),
            *(_changed("hidden", value) for value in ("scf", "none")),
            *(_changed("latent-size", value) for value in ("2", "8", "16")),
            *(_changed("flow-layers", value) for value in ("2", "3")),
            *(_changed("made-units", value) for value in ("128", "256")),
        ),
    ),
    "table3": Table(
        "Polyphonic music, test split, nats per time step",
        "music",
        (
            *_cited("RNN-NADE", 2.31, 7.05, 5.60, 5.19),
            *_cited("TSBN", 3.67, 7.89, 6.81, 7.48),
            *_cited("STORN", 2.85, 7.13, 6.16, 6.91),
            *_cited("NASMC", 2.72, 7.61, 6.89, 3.99),
            *_cited("SRNN", 2.94, 8.20, 6.28, 4.74),
            *_cited("DMM", 2.77, 7.83, 6.83, 6.39),
            *_music("LSTM", "lstm", 3.43, 7.77, 7.23, 8.17),
            *_music("AF / AF", "af-af", 2.39, 8.19, 6.92, 6.53),
            *_music("AF / SCF", "af-scf", 2.56, 8.26, 6.95, 6.64),
            *_music("IAF / SCF", "iaf-scf", 2.54, 8.25, 7.06, 6.59),
            *_joint_notes("LSTM, emission made", "lstm"),
            *_joint_notes("AF / AF, emission made", "af-af"),
            *_joint_notes("multiscale, emission made", "multiscale"),
            *(
                _variant(model, Run(model, name, model))
                for model in ("codebook", "multiscale")
                for name in _SETS
            ),
        ),
    ),
}

FIGURES: Mapping[str, Figure] = {
    "figure3": Figure(
        "The next character given those before it, by the LSTM",
        "train.paper.figures.next_character",
        (Run("lstm", "ptb", "lstm"),),
    ),
    "figure5": Figure(
        "NLSq flows of one and of two dimensions", "train.paper.figures.nlsq_densities"
    ),
    "figure6": Figure(
        "The prior's conditional densities along a word, AF / AF with H = 2",
        "train.paper.figures.prior_densities",
        (Run("af-af-h2", "ptb", "af-af", ("--latent-size", "2")),),
    ),
    "figure7": Figure("Time to sample one sequence", "train.paper.figures.sampling_time"),
}
