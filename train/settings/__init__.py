"""Settings of a training run: flags, presets, and the model they describe."""

__all__: list[str] = []
