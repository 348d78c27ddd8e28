"""The networks of the models: LSTMs with position codes, inference network, emitter."""

__all__: list[str] = []
