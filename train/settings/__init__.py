"""What a training run is told: flags, presets, and the model that they name."""

__all__: list[str] = []
