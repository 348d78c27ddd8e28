"""What a model answers to beside tensors: Keras' own methods, texts, piano rolls."""

__all__: list[str] = []
