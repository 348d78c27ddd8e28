"""The output of `--show-config`: every setting of a run and its model, and its origin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tf_latentflow import ModelConfig
from tf_latentflow.config.rows import GIVEN, Setting
from train.settings.config import TrainConfig
from train.settings.flags import FLAGS_OF_MODEL, model_flag_of

__all__ = ["show_config"]


def show_config(config: TrainConfig, settings: Mapping[str, Setting]) -> str:
    """Returns the settings as lines of text: a name, a value, its origin.

    Args:
      config: The settings of a run.
      settings: The same with their sources, from `TrainConfig.resolve`.
    """
    training = {name: s for name, s in settings.items() if name not in FLAGS_OF_MODEL}
    training["workdir"] = settings["workdir"]._replace(value=config.run_directory)
    flags = config.model_flags()
    if config.init_from is None:
        model = ModelConfig.resolve(config.model, config.preset, **config.row_fields())
    else:
        start = config.model_config().to_dict()
        flag = {name: name if name in flags else "init_from" for name in start}
        model = {name: Setting(value, {flag[name]: GIVEN}) for name, value in start.items()}
    # What the library was given by this program and not by a flag.
    model["name"] = settings["model"]
    if model["emission"].when == {"emission": GIVEN} and config.emission is None:
        model["emission"] = model["emission"]._replace(when={"task": config.task})
    for name in config.from_data:
        model[name] = Setting("from the data", {"dataset": config.dataset})
    parts = {"training": training, "model": model}
    rows = {
        title: [(name, _shown(s.value), _source(s, config.task)) for name, s in part.items()]
        for title, part in parts.items()
    }
    names, values, _ = zip(*(row for part in rows.values() for row in part), strict=True)
    form = f"  {{:<{max(map(len, names))}}}  {{:<{max(map(len, values))}}}  {{}}"
    blocks = ("\n".join([title, *(form.format(*row) for row in rows[title])]) for title in rows)
    return "\n\n".join(blocks)


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _source(setting: Setting, task: str) -> str:
    """Returns a description of where a value comes from."""
    words = []
    for name, value in setting.when.items():
        if value is GIVEN:
            flag = model_flag_of(name)
            words.append(flag.replace("--", "--no-") if setting.value is False else flag)
        elif name not in ("task", "emission"):  # These two go together.
            name = "model" if name == "name" else name
            words.append(f"no {name}" if value is None else f"{name} {value}")
    by_task = any(setting.when.get(name, GIVEN) is not GIVEN for name in ("task", "emission"))
    of_task = [f"for {task}"] if by_task else []
    return " ".join([", ".join(words), *of_task]).strip() or "default"
