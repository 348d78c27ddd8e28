"""The settings of Keras' optimisers that only their `apply` heeds, which no training step calls."""

from __future__ import annotations

import keras

__all__ = ["APPLY_SETTINGS", "refuse_apply_settings"]

# What every optimiser of Keras takes; `update_step` computes all that an optimiser has besides. A
# test compares them with Keras.
APPLY_SETTINGS = (
    "weight_decay",
    "clipnorm",
    "clipvalue",
    "global_clipnorm",
    "use_ema",
    "loss_scale_factor",
    "gradient_accumulation_steps",
)


def refuse_apply_settings(optimizer: keras.optimizers.Optimizer) -> None:
    """Refuses an optimiser with a setting that would do nothing, as only `update_step` is called.

    Raises:
      ValueError: It has one; the error names it.
    """
    for name in APPLY_SETTINGS:
        if value := getattr(optimizer, name, None):
            raise ValueError(
                f"expected an optimiser without {name}, which only Keras' apply heeds; got "
                f"{name}={value!r}"
            )
