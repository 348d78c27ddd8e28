"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

__all__ = ["markdown_table"]

_RULES = {"<": "---", ">": "---:"}


def markdown_table(columns: Mapping[str, str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a table as lines of Markdown.

    Args:
      columns: The title of each column, and `<` or `>`: to which side its cells are aligned.
      rows: The cells of each row.
    """
    first, *others = (f"| {' | '.join(cells)} |" for cells in (columns, *rows))
    rule = f"|{'|'.join(_RULES[side] for side in columns.values())}|"
    return "\n".join([first, rule, *others])
