"""How a run goes on, without TensorFlow: settings, batches, schedules, state, sums, progress."""

__all__: list[str] = []
