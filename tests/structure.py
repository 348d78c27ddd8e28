"""The structure of the code in numbers: `python -m tests.structure`.

Entries a folder, lines a package, imports inside functions, the longest files.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.paths import ROOT

__all__ = ["PACKAGES", "InnerImport", "entries", "inner_imports", "main", "python_files"]

PACKAGES = ("bijectors", "tf_latentflow", "train", "export")


class InnerImport(NamedTuple):
    """An import inside a function.

    Attributes:
      file: Where it stands, from the root.
      line: Its line.
      modules: What is imported.
      after_flags: Whether TensorFlow's quiet import comes before it in the same function.
    """

    file: str
    line: int
    modules: tuple[str, ...]
    after_flags: bool


def python_files(package: str) -> list[Path]:
    """The files of a package, in order."""
    return sorted((ROOT / package).rglob("*.py"))


def entries() -> dict[str, int]:
    """The files and folders of every folder of the packages, without `__init__.py`, `py.typed`."""
    folders = {file.parent for package in PACKAGES for file in python_files(package)}
    return {
        folder.relative_to(ROOT).as_posix(): sum(
            not path.name.startswith(("__", ".", "py.typed")) for path in folder.iterdir()
        )
        for folder in sorted(folders)
    }


def inner_imports() -> Iterator[InnerImport]:
    """The imports that do not stand at the top of their file."""
    for package in PACKAGES:
        for file in python_files(package):
            for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield from _of_function(file, function)


def _of_function(file: Path, function: ast.AST) -> Iterator[InnerImport]:
    nodes = list(ast.walk(function))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    loads = [c.lineno for c in calls if ast.unparse(c.func) == "import_tensorflow_quietly"]
    for node in nodes:
        if isinstance(node, ast.Import):
            modules = tuple(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            modules = (node.module or "",)
        else:
            continue
        after = any(line < node.lineno for line in loads)
        yield InnerImport(file.relative_to(ROOT).as_posix(), node.lineno, modules, after)


def main() -> None:
    """Prints the numbers."""
    print("entries of a folder:")
    for folder, count in entries().items():
        print(f"  {folder:<28}{count:>4}")
    print("lines:")
    for package in PACKAGES:
        files = python_files(package)
        lines = [len(file.read_text(encoding="utf-8").splitlines()) for file in files]
        print(f"  {package:<28}{sum(lines):>6} in {len(files)} files, the longest {max(lines)}")
    print(f"imports inside functions: {len(list(inner_imports()))}")


if __name__ == "__main__":
    main()
