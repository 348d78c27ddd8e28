"""The packages that only the local endpoint needs."""

from __future__ import annotations

from importlib.util import find_spec

from train.errors import UserError

__all__ = ["require_serving"]

_PACKAGES = ("grpc", "grpc_health", "starlette", "tensorflow_serving", "uvicorn")


def require_serving() -> None:
    """Checks that the packages of the extra `[serving]` are installed, without importing them.

    Raises:
      UserError: If one is missing.
    """
    missing = [package for package in _PACKAGES if find_spec(package) is None]
    if missing:
        raise UserError(
            f"serving needs packages that are not installed: {', '.join(missing)}; "
            "install them with: pip install '.[serving]'"
        )
