"""Optional packages: the extras of setup.py."""

from __future__ import annotations

from importlib.util import find_spec

from train.support.errors import UserError

__all__ = ["missing_packages", "require_extra"]

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


def require_extra(name: str, *packages: str) -> None:
    """Checks that packages of an extra are installed, without importing them.

    Import an optional package inside a function after this call, so that other programs run without
    it.

    Args:
      name: The extra.
      *packages: Those of its packages that are needed. None: all.

    Raises:
      UserError: One is missing.
    """
    missing = missing_packages(name, *packages)
    if missing:
        raise UserError(
            f"{name} needs packages that are not installed: {', '.join(missing)}; "
            f"install them with: pip install '.[{name}]'"
        )


def missing_packages(name: str, *packages: str) -> list[str]:
    """Returns those of `packages`, or of all packages of an extra, that are not installed.

    Raises:
      ValueError: The extra has no such package.
    """
    strange = set(packages) - set(_PACKAGES[name])
    if strange:
        raise ValueError(f"expected packages of the extra {name}; got {sorted(strange)}")
    return [package for package in packages or _PACKAGES[name] if find_spec(package) is None]
