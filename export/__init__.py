"""Where the code will live that hands trained models to other runtimes; it holds nothing yet."""

__all__: list[str] = []
