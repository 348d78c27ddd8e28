"""Figure 7: how long drawing one sequence takes, against its length."""

from __future__ import annotations

import functools
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf

from tf_latentflow import ModelConfig
from train.benchmark.pictures import draw_sweep, sweep_figure
from train.benchmark.sweeps import MODELS, Point, Sweep, measure, sampling_sweep
from train.paper.job import Drawing, Job
from train.paper.markdown import markdown_table
from train.support.figures import figure_png
from train.support.files import read_json, write_json

__all__ = ["crossing", "draw"]

_PAPER_MODELS = ("lstm", "iaf-scf")  # The figure in the paper has these two.
_MODELS = (*MODELS, "multiscale", "multiscale-codebook")

# PTB has 51 symbols and sentences of up to 288; music has its notes by default, and 2241 is 1.25
# times the longest piece of Nottingham.
_SIZES: dict[str, dict[str, Any]] = {
    "text": {"vocab_size": 51, "max_length": 288},
    "Nottingham": {"emission": "bernoulli", "max_length": 2241},
}


class _Plan(NamedTuple):
    """What a scale measures: sizes, models, lengths by a panel's name, and how often each."""

    preset: str
    models: tuple[str, ...]
    lengths: dict[str, tuple[int, ...]]
    repeats: int


_PLANS = {
    "tiny": _Plan("tiny", _PAPER_MODELS, {"text": (5, 20), "Nottingham": (5, 20)}, 2),
    "cpu": _Plan(
        "paper",
        _MODELS,
        {"text": (10, 50, 100, 200, 288), "Nottingham": (10, 100, 250, 500, 1000)},
        5,
    ),
    "paper": _Plan(
        "paper",
        _MODELS,
        {
            "text": (10, 25, 50, 100, 200, 288),
            "Nottingham": (10, 50, 100, 200, 500, 1000),
        },
        11,
    ),
}


def draw(job: Job) -> Drawing:
    """Draws the figure from the points in the job's folder, and measures those that are missing.

    Args:
      job: Needs no runs.
    """
    plan = _PLANS[job.scale]
    measured = {}
    device = _device()
    for name, lengths in plan.lengths.items():
        config = functools.partial(ModelConfig.from_name, preset=plan.preset, **_SIZES[name])
        sweep = sampling_sweep(f"{name}, preset {plan.preset}", plan.models, lengths, config)
        file = job.folder / f"{name.lower()}.json"
        measured[name] = (sweep, _measured(sweep, plan.repeats, device, file))
    numbers = {
        "device": device,
        "repeats": plan.repeats,
        "batch_size": 1,
        "preset": plan.preset,
        "points": {name: [p._asdict() for p in points] for name, (_, points) in measured.items()},
        "crossing": {name: crossing(points) for name, (_, points) in measured.items()},
    }
    text = _markdown(measured, numbers)
    return Drawing(numbers, text, _png(list(measured.values())))


def crossing(points: Sequence[Point]) -> float | None:
    """From which length on `iaf-scf` is faster than `lstm`.

    Between two measured lengths both times are taken as linear. Returns the shortest length if it
    is faster throughout, and None if it is not at the longest.
    """
    lstm, flow = ({p.value: p.seconds for p in points if p.line == line} for line in _PAPER_MODELS)
    gains = [(length, lstm[length] - flow[length]) for length in sorted(lstm)]
    first, least = gains[-1]
    if least <= 0:
        return None
    for length, gain in reversed(gains[:-1]):
        if gain <= 0:
            return length + (first - length) * -gain / (least - gain)
        first, least = length, gain
    return float(first)


def _measured(sweep: Sweep, repeats: int, device: str, file: Path) -> list[Point]:
    """Returns all points of a sweep; the file keeps what is measured, for the next call."""
    origin = {"device": device, "repeats": repeats}
    known: dict[tuple[str, int], Point] = {}
    if file.exists():
        saved = read_json(file)
        # Times of two devices do not belong in one picture.
        if saved["origin"] == origin:
            known = {(p["line"], p["value"]): Point(**p) for p in saved["points"]}
    found = []
    for line in sweep.lines:
        for length in sweep.values:
            if (line, length) not in known:
                point = known[line, length] = measure(sweep, line, length, repeats)
                points = [p._asdict() for p in known.values()]
                write_json(file, {"origin": origin, "points": points})
                print(f"{sweep.name}: {line}, T = {length}: {_ms(point)} ms", flush=True)
            found.append(known[line, length])
    return found


def _device() -> str:
    """Returns what TensorFlow computes on."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
    return f"{platform.processor() or platform.machine()} CPU, {os.cpu_count()} cores"


def _ms(point: Point) -> str:
    return f"{1000 * point.seconds:.1f}"


def _markdown(measured: dict[str, tuple[Sweep, Sequence[Point]]], numbers: dict[str, Any]) -> str:
    """Returns the times as tables, each with its finding."""
    lines = [
        f"Time to draw one sequence of T steps [ms], preset `{numbers['preset']}`, on "
        f"{numbers['device']}; medians of {numbers['repeats']}."
    ]
    for name, (sweep, points) in measured.items():
        columns = dict.fromkeys([f"{name}, T", *(f"`{line}`" for line in sweep.lines)], ">")
        rows = [
            [str(length), *(_ms(p) for p in points if p.value == length)] for length in sweep.values
        ]
        finding = f"{name}: {_finding(points, numbers['crossing'][name])}"
        lines += ["", markdown_table(columns, rows), "", finding]
    return "\n".join(lines) + "\n"


def _finding(points: Sequence[Point], start: float | None) -> str:
    longest = max(p.value for p in points)
    shortest = min(p.value for p in points)
    seconds = {p.line: p.seconds for p in points if p.value == longest}
    ratios = {line: value / seconds["lstm"] for line, value in seconds.items() if line != "lstm"}
    at_longest = f"at T = {longest} it takes {ratios.pop('iaf-scf'):.2f} times as long."
    others = [f"`{line}` takes {ratio:.2f} times as long there." for line, ratio in ratios.items()]
    at_longest = " ".join([at_longest, *others])
    if start is None:
        return f"`iaf-scf` does not become faster than `lstm`: {at_longest}"
    if start == shortest:
        return f"`iaf-scf` is faster than `lstm` at every length: {at_longest}"
    return f"`iaf-scf` is faster than `lstm` from about T = {start:.0f} on: {at_longest}"


def _png(measured: Sequence[tuple[Sweep, Sequence[Point]]]) -> bytes:
    """Draws the paper's two lines on linear scales, and all of them on logarithmic ones below."""
    figure = sweep_figure(2, len(measured))
    for column, (sweep, points) in zip(figure.subplots(2, len(measured)).T, measured, strict=True):
        draw_sweep(column[0], sweep._replace(lines=_PAPER_MODELS), points, logarithmic=False)
        draw_sweep(column[1], sweep, points)
    return figure_png(figure)
