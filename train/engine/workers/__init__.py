"""Several processes that train one model: their addresses, and the messages between them."""

__all__: list[str] = []
