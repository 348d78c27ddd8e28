"""What a server says, asked without the page."""

from __future__ import annotations

from export.serving.local_server import LocalServer
from tests.local_servers import http_of

__all__ = ["ask"]


def ask(server: LocalServer, signature: str, **inputs: list) -> dict[str, list]:
    """The outputs of a signature."""
    with http_of(server) as http:
        return http.predict({"signature_name": signature, "inputs": inputs}).json()["outputs"]
