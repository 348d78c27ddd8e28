"""What tests of a run's folder share."""

from __future__ import annotations

from pathlib import Path

__all__ = ["CONFIG", "contents"]

CONFIG = {"train": {"model": "af-af", "seed": 0, "sizes": (1, 2)}, "dataset_sha256": "ab"}


def contents(path: Path) -> dict[str, tuple[bytes, int]]:
    """The bytes and the time of each file in a folder and below."""
    files = (p for p in path.rglob("*") if p.is_file())
    return {str(p.relative_to(path)): (p.read_bytes(), p.stat().st_mtime_ns) for p in files}
