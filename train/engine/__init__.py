"""The training loop without TensorFlow: settings, batches, schedules, state, sums, progress."""

__all__: list[str] = []
