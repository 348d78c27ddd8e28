"""A page for a browser, that asks a model: text and music drawn, continued, mixed and looked into.

`index.html` can be opened as it is. A server sends it as one file, with its style and its scripts.
"""

__all__: list[str] = []
