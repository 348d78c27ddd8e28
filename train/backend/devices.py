"""The devices of a run, and the update of the weights on all of them."""

from __future__ import annotations

import functools
import signal
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from train.backend.optimizers import FusedAdam, refuse_apply_settings
from train.engine.settings import LoopSettings
from train.engine.workers.cluster import Cluster
from train.engine.workers.team import Team

__all__ = ["make_model_and_optimizer", "make_strategy", "update_weights"]

_JOB = "worker"  # The first of them is the chief.


@functools.cache
def make_strategy(team: Team) -> tf.distribute.Strategy:
    """Returns the strategy for all GPUs, each with a copy of the weights, or for the CPU.

    There is only one per process: TensorFlow numbers the sums over replicas of a second strategy
    like those of the first, and refuses them ("Shape mismatch in the collective instance"). With
    several processes it must be made before anything is computed.

    Args:
      team: The processes.

    Raises:
      Disagreement: Their number of GPUs, or their version of TensorFlow or Keras, differs.
    """
    num_gpus = len(tf.config.list_physical_devices("GPU"))
    if team.size > 1:
        versions = {f"version of {m.__name__}": m.__version__ for m in (tf, keras)}
        team.agree({"number of GPUs": num_gpus, **versions})
        return _strategy_of(team.cluster, num_gpus)
    if num_gpus > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.OneDeviceStrategy("/gpu:0" if num_gpus else "/cpu:0")


def _strategy_of(cluster: Cluster, num_gpus: int) -> tf.distribute.Strategy:
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({_JOB: list(cluster.addresses)}),
        task_type=_JOB,
        task_id=cluster.index,
        num_accelerators={"GPU": num_gpus},
        rpc_layer="grpc",
    )
    strategy = tf.distribute.MultiWorkerMirroredStrategy(resolver)
    # TensorFlow takes this signal, to tell the others of a preemption, and the process goes on. A
    # handler in Python would wait for a process that has ended.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return strategy


def make_model_and_optimizer(
    config: LoopSettings, make_model: Callable[[], keras.Model], strategy: tf.distribute.Strategy
) -> tuple[keras.Model, keras.optimizers.Optimizer]:
    """Returns the model, with weights drawn from the run's seed, and its optimiser, built."""
    keras.utils.set_random_seed(config.seed)
    with strategy.scope():
        model = make_model()
        if config.optimizer == "sgd":
            optimizer = keras.optimizers.SGD(config.learning_rate)
        else:
            # While the KL weight is small, so is its gradient: an epsilon of 1e-7 would damp it.
            optimizer = FusedAdam(config.learning_rate, epsilon=1e-8)
        optimizer.build(model.trainable_variables)
    return model, optimizer


def update_weights(
    strategy: tf.distribute.Strategy,
    optimizer: keras.optimizers.Optimizer,
    variables: Sequence[keras.Variable],
    gradients: Sequence[tf.Tensor],
    scale: tf.Tensor,
) -> None:
    """Updates the copies of the weights on all devices. Must not be called within a replica.

    `optimizer.apply` cannot be used on several devices: it works only within a replica and sums
    the gradients itself, but here they are summed before, because clipping needs their norm. What
    only `apply` does, such as the decay of weights, is therefore refused.

    Args:
      strategy: The strategy in whose scope optimiser and variables were made.
      optimizer: Optimiser, built for these variables.
      variables: Weights of the model.
      gradients: Gradient of each variable, summed over the replicas and the same on each.
      scale: Scalar factor of the gradients.

    Raises:
      ValueError: The optimiser has a setting that only `apply` heeds.
    """
    refuse_apply_settings(optimizer)

    def update(
        variable: tf.Variable, gradient: tf.Tensor, scale: tf.Tensor, rate: tf.Tensor
    ) -> None:
        optimizer.update_step(gradient * scale, variable, rate)

    rate = tf.convert_to_tensor(optimizer.learning_rate)
    for variable, gradient in zip(variables, gradients, strict=True):
        args = (gradient, scale, rate)
        strategy.extended.update(variable.value, update, args=args, group=False)
    optimizer.iterations.assign_add(1)
