"""The entries of `bijectors.HIDDEN_STRUCTURES`: bijectors with the networks that they need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bijectors.hidden.base import HiddenBijector
from bijectors.hidden.made import ConditionalMADE
from bijectors.hidden.mlp import ConditionalMLP
from bijectors.hidden.structures import (
    AutoregressiveHidden,
    FixedPointHidden,
    IndependentHidden,
    SplitCouplingHidden,
)

__all__ = ["AF", "INDEPENDENT", "SCF", "HiddenStructure"]


@dataclass(frozen=True)
class HiddenStructure:
    """A structure within a step: an entry of `bijectors.HIDDEN_STRUCTURES`.

    Attributes:
      network: Builds the network: `network(event_size, num_params, context_size, hidden_sizes,
        output_scale, ...)`, with the keyword arguments of `ConditionalMLP`.
      bijector: The bijector that uses the network.
      sweeping: The same map, with serial dimensions solved by sweeps over all of them; None if no
        direction is serial.

    Example:
      >>> from bijectors import HIDDEN_STRUCTURES, HiddenStructure
      >>> structure = HIDDEN_STRUCTURES["af"]
      >>> isinstance(structure, HiddenStructure), structure.bijector.__name__
      (True, 'AutoregressiveHidden')
      >>> made = structure.network(event_size=3, num_params=5, context_size=2)
      >>> type(made).__name__
      'ConditionalMADE'
    """

    network: Callable[..., ConditionalMLP]
    bijector: type[HiddenBijector]
    sweeping: type[HiddenBijector] | None = None


def _split_coupling_network(
    event_size: int, num_params: int, context_size: int = 0, *args: Any, **kwargs: Any
) -> ConditionalMLP:
    if event_size < 2:
        raise ValueError(f"expected an event size of at least 2 for a coupling; got {event_size}")
    kept = event_size // 2
    return ConditionalMLP(kept, event_size - kept, num_params, context_size, *args, **kwargs)


def _independent_network(
    event_size: int, num_params: int, context_size: int = 0, *args: Any, **kwargs: Any
) -> ConditionalMLP:
    return ConditionalMLP(0, event_size, num_params, context_size, *args, **kwargs)


AF = HiddenStructure(ConditionalMADE, AutoregressiveHidden, FixedPointHidden)
SCF = HiddenStructure(_split_coupling_network, SplitCouplingHidden)
INDEPENDENT = HiddenStructure(_independent_network, IndependentHidden)
