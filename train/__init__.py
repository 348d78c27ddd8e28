"""The programs: data, training loop, evaluation and sampling."""

__all__: list[str] = []
