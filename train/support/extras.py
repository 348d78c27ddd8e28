"""The packages that only a part of the programs needs: the extras of setup.py."""

from __future__ import annotations

from importlib.util import find_spec

from train.support.errors import UserError

__all__ = ["require_extra"]

_PACKAGES = {
    "figures": ("matplotlib",),
    "music": ("matplotlib", "mido", "music21", "scipy"),
    "serving": (
        "grpc",
        "grpc_health",
        "prometheus_client",
        "starlette",
        "tensorflow_serving",
        "uvicorn",
    ),
}


def require_extra(name: str) -> None:
    """Checks that the packages of an extra are installed, without importing them.

    Whoever needs one imports it inside a function after this call, so that other programs run
    without it.

    Raises:
      UserError: If one is missing.
    """
    missing = [package for package in _PACKAGES[name] if find_spec(package) is None]
    if missing:
        raise UserError(
            f"{name} needs packages that are not installed: {', '.join(missing)}; "
            f"install them with: pip install '.[{name}]'"
        )
