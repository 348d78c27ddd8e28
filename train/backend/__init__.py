"""Training with TensorFlow: the step, evaluation, devices, checkpoints and TensorBoard."""

__all__: list[str] = []
