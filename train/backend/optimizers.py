"""Adam's update in one operation, and the settings of Keras' optimisers that would do nothing."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

__all__ = ["APPLY_SETTINGS", "FusedAdam", "refuse_apply_settings"]

# What every optimiser of Keras takes and only its `apply` heeds, which no training step calls:
# `update_step` computes all that an optimiser has besides. A test compares them with Keras.
APPLY_SETTINGS = (
    "weight_decay",
    "clipnorm",
    "clipvalue",
    "global_clipnorm",
    "use_ema",
    "loss_scale_factor",
    "gradient_accumulation_steps",
)


class FusedAdam(keras.optimizers.Adam):
    """Adam (Kingma & Ba, 2015), with the variables and the formula of Keras.

        m += (1 - beta_1) (g - m);  v += (1 - beta_2) (g^2 - v)
        w -= rate sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)

    Keras makes a dozen operations of it, each of which reads and writes whole arrays. A single
    operation passes over memory less often, which matters for tens of millions of weights.

    Raises:
      ValueError: For `amsgrad`, which the operation does not know, and for `weight_decay` and the
        other settings that only Keras' `apply` heeds.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.amsgrad:
            raise ValueError("expected Adam without amsgrad; got amsgrad=True: use Keras' Adam")
        refuse_apply_settings(self)

    def update_step(
        self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor
    ) -> None:
        """Updates a variable, on the device whose copy it is."""
        index, dtype = self._get_variable_index(variable), variable.dtype
        step = tf.cast(self.iterations + 1, dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(tf.cast(self.beta_1, dtype), step),
            beta2_power=tf.pow(tf.cast(self.beta_2, dtype), step),
            lr=tf.cast(learning_rate, dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
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
