"""Where this checkout is, its programs' environment, and data that only some machines have."""

import os
from pathlib import Path

__all__ = ["PTB", "RELEASED_MUSIC", "ROOT", "environment"]

ROOT = Path(__file__).parents[1]
PTB = ROOT / "../shared/data/ptb"
RELEASED_MUSIC = ROOT / "../shared/data/polyphonic"


def environment(**changes: str) -> dict[str, str]:
    """The environment of a user, without what the tests set, on one CPU device."""
    kept = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    return {**kept, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1", **changes}
