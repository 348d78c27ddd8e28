"""What models offer besides tensors: Keras' own methods, texts, piano rolls."""

__all__: list[str] = []
