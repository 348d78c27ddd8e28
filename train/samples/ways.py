"""The ways in which `train.sample` makes samples from given sequences, and their flags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tf_latentflow import ModelConfig
from train.support.errors import UserError
from train.support.ranges import flag_of

__all__ = ["WAYS", "Way", "check_way", "way_of"]


class Way(NamedTuple):
    """A flag that gives the sequences to make samples from.

    Attributes:
      field: Name of its field.
      options: The options that are used only with it, or with few others, and their defaults.
      task: The kind of data of the models that it is for, text or music; None for both.
      needs_latents: Whether the baseline cannot do it.
      needs_causal: Whether a coupling across steps cannot do it.
    """

    field: str
    options: Mapping[str, Any]
    task: str | None = None
    needs_latents: bool = False
    needs_causal: bool = False


_DRAWN = {"num": 10, "temperature": 1.0}
_CONTINUED = {**_DRAWN, "length": None, "particles": 64}
_FILLED = {**_DRAWN, "particles": 32, "sweeps": 8}
WAYS = (
    Way("prompt", _CONTINUED, task="text", needs_causal=True),
    Way("continue_", _CONTINUED, task="music", needs_causal=True),
    Way("vary", {**_DRAWN, "amount": 0.3}, needs_latents=True),
    Way("interpolate", {"steps": 5}, needs_latents=True),
    Way("fill", {**_FILLED, "blank": "_"}, task="text", needs_latents=True, needs_causal=True),
    Way("harmonise", _FILLED, task="music", needs_latents=True, needs_causal=True),
)
_NEW = Way("", {**_DRAWN, "length": None})
_OPTIONS = dict.fromkeys(name for way in (_NEW, *WAYS) for name in way.options)


def way_of(flags: Any) -> Way:
    """The way that the user asked for; one without a field for new samples.

    Raises:
      UserError: There is more than one.
    """
    ways = [way for way in WAYS if getattr(flags, way.field) is not None]
    if len(ways) > 1:
        names = " and ".join(flag_of(way.field) for way in ways)
        raise UserError(f"expected one thing to make samples from; got {names}: give one of them")
    return ways[0] if ways else _NEW


def check_way(flags: Any, model: ModelConfig) -> None:
    """Checks that a model supports the requested way, and that all options belong to it.

    Raises:
      UserError: One does not; the error names the flag.
    """
    way = way_of(flags)
    for name in _OPTIONS:
        if getattr(flags, name) is not None and name not in way.options:
            raise UserError(f"{flag_of(name)} is used with {_owners(name)}{_got(way)}")
    task = "text" if model.is_text else "music"
    if way.task not in (None, task):
        raise UserError(f"{flag_of(way.field)} is for models of {way.task}; this one is of {task}")
    needing = way.field if way.needs_latents else "particles" if flags.particles else None
    if needing and not model.is_flow:
        raise UserError(f"{flag_of(needing)} needs latents, which the lstm does not have")
    if way.needs_causal and not model.is_causal:
        raise UserError(
            f"{flag_of(way.field)} needs a model whose steps depend only on earlier ones; this "
            f"one has --time {model.time}"
        )


def _owners(name: str) -> str:
    owners = [flag_of(way.field) for way in WAYS if name in way.options]
    if name in _NEW.options:
        owners.append("new samples")
    return " or ".join(owners)


def _got(way: Way) -> str:
    return f", not with {flag_of(way.field)}" if way.field else "; give that too"
