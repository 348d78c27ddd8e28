"""The facts about a run that must be the same on all of its machines."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

import bijectors
import tf_latentflow
import train
from train.support.digests import sha256_of_code

__all__ = ["run_facts"]


def run_facts(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the settings of a run, and the versions of the code that computes it, by name.

    Args:
      settings: The entries of the run's config.json, the digest of the data included.
    """
    major, minor, _ = platform.python_version_tuple()
    return {
        **settings,
        "code": sha256_of_code(bijectors, tf_latentflow, train),
        "version of Python": f"{major}.{minor}",
    }
