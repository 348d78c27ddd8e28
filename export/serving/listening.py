"""The sockets of the server; without TensorFlow, so that a port is refused before it is loaded."""

from __future__ import annotations

import socket

from train.support.errors import UserError
from train.support.ranges import flag_of

__all__ = ["check_ports", "listen"]


def check_ports(host: str, rest_port: int, grpc_port: int) -> None:
    """Checks that a server can listen at two ports, without keeping them.

    Raises:
      UserError: A port is in use, or the host is not an address of this machine.
    """
    for field, port in (("rest_port", rest_port), ("grpc_port", grpc_port)):
        listen(host, port, field).close()


def listen(host: str, port: int, field: str = "rest_port") -> socket.socket:
    """Returns a listening socket.

    Args:
      host: Address to listen at.
      port: Port; 0 for any free one.
      field: Field of the flags that has the port.

    Raises:
      UserError: The port is in use, or the host is not an address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except (OSError, OverflowError) as error:
        raise UserError(
            f"cannot listen on {host}, port {port}: {error}; choose another --host or "
            f"{flag_of(field)}"
        ) from None
