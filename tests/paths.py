"""Where this checkout is, and the data beside it that only some machines have."""

from pathlib import Path

__all__ = ["PTB", "RELEASED_MUSIC", "ROOT"]

ROOT = Path(__file__).parents[1]
PTB = ROOT / "../shared/data/ptb"
RELEASED_MUSIC = ROOT / "../shared/data/polyphonic"
