"""The training with TensorFlow: step, loop, evaluation, devices, checkpoints, TensorBoard."""

__all__: list[str] = []
