"""Runs the notebooks of the site: `python -m tests.notebooks [--overwrite] [NAME ...]`.

Each runs in an empty folder, with this checkout on the path. `--overwrite` stores what they print.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.paths import ROOT

__all__ = ["NOTEBOOKS", "main", "run_notebook"]

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


def run_notebook(path: Path, folder: Path) -> Any:
    """Returns the notebook with its outputs; a cell that fails raises CellExecutionError."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    client = NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": folder}}
    )
    client.execute(env=environment)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # Times, which differ from run to run.
        cell["outputs"] = _merged(cell.get("outputs", [])) if cell.cell_type == "code" else []
        if cell.cell_type != "code":
            del cell["outputs"]
    return notebook


def _merged(outputs: list[Any]) -> list[Any]:
    """Standard output alone, each run of it as one; progress and warnings are left out."""
    kept: list[Any] = []
    for output in outputs:
        if output.get("name") == "stderr":
            continue
        if kept and output.get("name") == kept[-1].get("name") == "stdout":
            kept[-1]["text"] += output["text"]
        else:
            kept.append(output)
    return kept


def main() -> None:
    """Runs the notebooks named on the command line, or all."""
    import nbformat

    names = [word for word in sys.argv[1:] if not word.startswith("--")]
    for path in [p for p in NOTEBOOKS if not names or p.stem in names]:
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            notebook = run_notebook(path, Path(folder))
        if "--overwrite" in sys.argv:
            nbformat.write(notebook, path)
        print(f"{path.stem}: {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
