"""What a server says, asked without the page."""

from __future__ import annotations

from export.serving.local_server import LocalServer
from tests.served import Http

__all__ = ["ask"]


def ask(server: LocalServer, signature: str, **inputs: list) -> dict[str, list]:
    """The outputs of a signature."""
    http = Http(server.rest_url)
    answer = http.predict({"signature_name": signature, "inputs": inputs}).json()["outputs"]
    http.close()
    return answer
