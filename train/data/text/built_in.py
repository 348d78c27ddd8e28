"""The texts that come with every Python: its language reference, and that with its docstrings.

The second has seven times as many sentences. Both need only the standard library, whose files are
parsed, not imported.
"""

from __future__ import annotations

import ast
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from train.data.text.pydoc_corpus import pydoc_sentences, sentences
from train.support.errors import UserError

__all__ = ["BUILT_IN", "python_docs_sentences"]

_TESTS = {"test", "tests"}
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def python_docs_sentences() -> list[str]:
    """Returns the distinct sentences of this Python's documentation, in a fixed order.

    First those of the language reference, then those of the docstrings of the standard library's
    modules, sorted by name. Modules in C have none here, and folders `test` and `tests` are left
    out, as are modules that are not installed: some distributions leave out `idlelib`.

    Raises:
      UserError: This Python was installed without `pydoc_data`, or without the library's sources.
    """
    library = Path(sysconfig.get_path("stdlib"))
    docstrings = list(_docstrings(library))
    if not docstrings:
        raise UserError(
            f"this Python has no sources of its standard library in {str(library)!r}, from which "
            "the dataset python-docs is made; give another dataset: pydoc, ptb, or a text file or "
            "folder of your own"
        )
    found = (sentence for text in docstrings for sentence in sentences(text))
    return list(dict.fromkeys([*pydoc_sentences(), *found]))


def _docstrings(library: Path) -> Iterator[str]:
    """Yields the docstrings of the library's modules: of each the module's first, then by depth."""
    for path in _sources(library):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, _DOCUMENTED) and (text := ast.get_docstring(node)):
                yield text


def _sources(library: Path) -> Iterator[Path]:
    """Yields the library's own files; others may have been installed beside them."""
    for name in sorted(sys.stdlib_module_names):
        for path in [library / f"{name}.py", *sorted((library / name).rglob("*.py"))]:
            if path.is_file() and _TESTS.isdisjoint(path.relative_to(library).parts):
                yield path


BUILT_IN = {"pydoc": pydoc_sentences, "python-docs": python_docs_sentences}
"""What gives the sentences of each dataset, by name."""
