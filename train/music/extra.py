"""The packages that only music needs."""

from __future__ import annotations

from importlib.util import find_spec

from train.errors import UserError

__all__ = ["require_music"]

_PACKAGES = ("matplotlib", "mido", "music21", "scipy")


def require_music() -> None:
    """Checks that the packages of the extra `[music]` are installed, without importing them.

    Whoever needs one imports it inside a function after this call, so that the programs for text
    run without it.

    Raises:
      UserError: If one is missing.
    """
    missing = [package for package in _PACKAGES if find_spec(package) is None]
    if missing:
        raise UserError(
            f"music needs packages that are not installed: {', '.join(missing)}; "
            "install them with: pip install '.[music]'"
        )
