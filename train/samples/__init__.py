"""What is shown of a model: samples and reconstructions of text and of music."""

__all__: list[str] = []
