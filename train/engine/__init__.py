"""The training loop, for any backend: settings, batches, schedules, state and progress."""

__all__: list[str] = []
