"""The facts about a run that must be the same on all of its machines."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bijectors
import tf_latentflow
import train
from train.support.digests import sha256_of

__all__ = ["run_facts"]


def run_facts(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the settings of a run, and the versions of the code that computes it, by name.

    Args:
      settings: The entries of the run's config.json, the digest of the data included.
    """
    major, minor, _ = platform.python_version_tuple()
    return {**settings, "code": _code(), "version of Python": f"{major}.{minor}"}


def _code() -> str:
    """A digest of this project's source files."""
    packages = (bijectors, tf_latentflow, train)
    files = [file for p in packages for file in sorted(Path(p.__path__[0]).rglob("*.py"))]
    return sha256_of(file.read_bytes() for file in files)
