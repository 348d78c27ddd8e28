"""What `--show-config` prints: every setting of a run and of its model, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tf_latentflow import ModelConfig
from tf_latentflow.rows import GIVEN, Setting
from train.settings.config import TrainConfig, flag_of

__all__ = ["show_config"]

# The settings of a run in groups, each with its unit; `{}` stands for that of the schedule.
_GROUPS: Mapping[str, Mapping[str, str]] = {
    "run": {
        "model": "",
        "preset": "",
        "dataset": "",
        "data_dir": "",
        "steps_per_beat": "time steps",
        "workdir": "",
        "init_from": "",
        "seed": "",
    },
    "length and batches": {
        "epochs": "",
        "max_steps": "optimiser steps",
        "batch_size": "sequences",
        "max_batch_steps": "time steps",
        "accumulation_steps": "batches",
    },
    "objective": {
        "elbo_samples": "per sequence",
        "schedule_unit": "",
        "kl_zero": "{}",
        "kl_ramp": "{}",
        "kl_floor": "",
    },
    "optimiser": {
        "optimizer": "",
        "learning_rate": "",
        "clip_norm": "nats per symbol",
        "plateau_patience": "validations",
        "plateau_factor": "",
        "final_decay": "of the run",
    },
    "validation, test, intervals": {
        "eval_every": "{}",
        "valid_sequences": "sequences",
        "valid_samples": "per sequence",
        "test_samples": "per sequence",
        "checkpoint_steps": "optimiser steps",
        "log_steps": "optimiser steps",
    },
    "computation": {"mixed_precision": "", "compile_loops": "", "jit": ""},
}
# Units of the model's fields.
_UNITS: Mapping[str, str] = {
    "latent_size": "dimensions",
    "hidden_size": "units",
    "num_lstm_layers": "layers",
    "flow_layers": "layers",
    "made_sizes": "units",
}
# Values that stand for something else.
_WORDS: Mapping[tuple[str, Any], str] = {
    ("epochs", None): "no limit",
    ("max_steps", None): "no limit",
    ("max_batch_steps", 0): "no limit",
    ("valid_sequences", 0): "all",
}


def show_config(config: TrainConfig, settings: Mapping[str, Setting]) -> str:
    """Returns the settings as lines of text: a name, a value with its unit, a source.

    Args:
      config: The settings of a run.
      settings: The same with their sources, of `TrainConfig.resolve`.
    """
    groups = {title: list(_training(config, settings, title)) for title in _GROUPS}
    groups["model"] = list(_model(config, settings))
    rows = [row for group in groups.values() for row in group]
    name_width, value_width = (max(len(row[column]) for row in rows) for column in (0, 1))
    blocks = [
        "\n".join([title, *(f"  {n:<{name_width}}  {v:<{value_width}}  {s}" for n, v, s in group)])
        for title, group in groups.items()
    ]
    return "\n\n".join(blocks)


def _training(
    config: TrainConfig, settings: Mapping[str, Setting], title: str
) -> Iterator[tuple[str, str, str]]:
    for name, unit in _GROUPS[title].items():
        if name in settings:  # Only music has beats.
            setting = settings[name]
            value = config.run_directory if name == "workdir" else setting.value
            unit = unit.format(config.schedule_unit)
            yield name, _value(name, value, unit), _source(setting, config.task)


def _model(config: TrainConfig, settings: Mapping[str, Setting]) -> Iterator[tuple[str, str, str]]:
    units = {**_UNITS, "max_length": config.unit.symbols}
    flags = config.model_flags()
    if config.init_from is None:
        given = {"emission": config.emission, **flags}
        fields = ModelConfig.resolve(config.model, config.preset, **given)
    else:
        values = config.model_config().to_dict()
        flag = {name: name if name in flags else "init_from" for name in values}
        fields = {name: Setting(value, {flag[name]: GIVEN}) for name, value in values.items()}
    # What the library was given by this program and not by a flag.
    fields["name"] = settings["model"]
    fields["emission"] = Setting(config.emission, {"task": config.task})
    for name, setting in fields.items():
        if name in config.from_data:
            yield name, "from the data", f"dataset {config.dataset}"
        else:
            value = _value(name, setting.value, units.get(name, ""))
            yield name, value, _source(setting, config.task)


def _value(name: str, value: Any, unit: str) -> str:
    if (name, value) in _WORDS:
        return _WORDS[name, value]
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        value = ", ".join(map(str, value))
    elif isinstance(value, float):
        value = f"{value:g}"
    if value == 1:
        unit = unit.removesuffix("es" if unit.endswith("ches") else "s")
    return f"{value} {unit}".rstrip()


def _source(setting: Setting, task: str) -> str:
    """Returns in words where a value comes from."""
    words = []
    for name, value in setting.when.items():
        if value is GIVEN:
            flag = flag_of(name)
            words.append(flag.replace("--", "--no-") if setting.value is False else flag)
        elif name not in ("task", "emission"):  # These two go together.
            name = "model" if name == "name" else name
            words.append(f"no {name}" if value is None else f"{name} {value}")
    of_task = [f"for {task}"] if setting.when.keys() & {"task", "emission"} else []
    return " ".join([", ".join(words), *of_task]).strip() or "default"
