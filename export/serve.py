"""Serves a model: `python -m export.serve --model-base-path DIR/NAME`, or `--pretrained NAME`.

A stand-in for TF Serving's REST and gRPC interfaces, to try a model without Docker; not TF Serving,
and not for production. A page for trying the model in a browser is at http://127.0.0.1:8501.
Programs ask, for example:

    curl -d '{"instances": [{"length": 80, "seed": 0, "temperature": 1.0}]}' \
        http://127.0.0.1:8501/v1/models/NAME:predict
    python -m export.client generate --url http://127.0.0.1:8501/v1/models/NAME
"""

from __future__ import annotations

import dataclasses
import faulthandler
import queue
import re
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

from export.serving.limits import DEFAULT_LIMITS, Limits, raise_file_limit
from export.serving.listening import check_ports
from export.versions import newest_version
from tf_latentflow.pretrained.errors import PretrainedError
from tf_latentflow.pretrained.folder import Pretrained
from train.settings.source import find_usable
from train.support.errors import UserError, run_program
from train.support.extras import require_extra
from train.support.flags import parse_flags
from train.support.ranges import PORT, POSITIVE, Range
from train.support.startup import import_tensorflow_quietly

__all__ = ["ServeConfig", "main"]

_ORIGIN = re.compile(r"https?://[^\s/?#]+")
_MOST_SECONDS_TO_STOP = 60
# gRPC has 32 bits for the size of a message and for the number of requests.
_MIB = Range("a number above 0 and below 2048", lambda x: 0 < x < 2048)
_REQUESTS = Range("a number from 1 to 1000000", lambda x: 1 <= x <= 1_000_000)


@dataclasses.dataclass(frozen=True)
class ServeConfig:
    """Serves the newest version of an exported model, in place of TF Serving, to try it out."""

    model_base_path: Path | None = None
    """Folder with the versions of the model, DIR/NAME; requests use NAME."""
    pretrained: str | None = None
    """Instead of an exported model, a pretrained one: its name or its folder. It is exported once
    and kept in the cache, ~/.cache/tf_latentflow; python -m train.sample --list shows the names."""
    rest_port: Annotated[int, PORT] = 8501
    """Port of the REST interface; 0: any free port."""
    grpc_port: Annotated[int, PORT] = 8500
    """Port of the gRPC interface; 0: any free port."""
    host: str = "127.0.0.1"
    """Address to listen on. The default can only be reached from this machine."""
    max_requests: Annotated[int, _REQUESTS] = DEFAULT_LIMITS.max_requests
    """Maximum number of requests at a time; others are rejected with status 429."""
    max_body_mib: Annotated[float, _MIB] = DEFAULT_LIMITS.max_body_bytes / 2**20
    """Maximum size of a request's body [MiB]."""
    max_rows: Annotated[int, POSITIVE] = DEFAULT_LIMITS.max_rows
    """Maximum number of rows in a request."""
    timeout: Annotated[float, POSITIVE] = DEFAULT_LIMITS.timeout
    """Maximum duration of a request; over gRPC a client may ask for less [seconds]."""
    cors_origin: tuple[str, ...] = ()
    """Origin of web pages that may send requests, such as https://example.org; '*': all."""
    quiet: bool = False
    """Do not log requests and the loading of the model to standard error."""


def main(args: Sequence[str] | None = None) -> None:
    """Runs the program until it is interrupted or terminated.

    Args:
      args: Its flags; None for those of the process.

    Raises:
      UserError: The input is invalid.
    """
    config = parse_flags(ServeConfig, "python -m export.serve", args)
    _check(config)
    found = None if config.pretrained is None else _find(config.pretrained)
    if config.model_base_path is not None:
        newest_version(config.model_base_path)  # Refuses a wrong path before anything is loaded.
    require_extra("serving")
    check_ports(config.host, config.rest_port, config.grpc_port)
    show = _progress(config.quiet)
    show("loading TensorFlow")
    import_tensorflow_quietly()
    from export.saving.cached_export import cached_export
    from export.saving.warmup import play_warmup
    from export.serving.local_server import LocalServer, is_loopback
    from export.serving.servable import load_newest

    limits = Limits(
        config.max_requests, round(config.max_body_mib * 2**20), config.max_rows, config.timeout
    )
    raise_file_limit()
    base_path = config.model_base_path if found is None else cached_export(found, show)
    show(f"loading the newest version in {base_path}")
    servable = load_newest(base_path)
    server = LocalServer(
        servable,
        config.host,
        config.rest_port,
        config.grpc_port,
        limits,
        cors_origins=config.cors_origin,
        log=None if config.quiet else sys.stderr,
    )
    show(f"loaded version {servable.version}")
    try:
        play_warmup(servable, limits.max_body_bytes, lambda request: show(f"warm-up {request}"))
    except UserError:
        server.stop()
        raise
    # Not an event, whose lock a handler would wait for while the code that it interrupts has it.
    ended: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: ended.put(number))
    server.start()
    print(f"{servable.name}, version {servable.version}; a stand-in for TF Serving, for local use")
    print(f"REST  {server.rest_url}\ngRPC  {server.grpc_target}")
    print(f"page  {server.page_url}", flush=True)
    if not is_loopback(config.host):
        print(f"warning: anyone who can reach {config.host} can use this server", file=sys.stderr)
    ended.get()
    # If something hangs, it ends all the same, and says where.
    faulthandler.dump_traceback_later(_MOST_SECONDS_TO_STOP, exit=True)
    server.stop()


def _progress(quiet: bool) -> Callable[[str], None]:
    """Returns a function that logs the progress of the start to standard error."""
    started = time.monotonic()

    def show(what: str) -> None:
        if not quiet:
            print(f"{time.monotonic() - started:5.1f} s  {what}", file=sys.stderr)

    return show


def _find(source: str) -> Pretrained:
    """Returns the pretrained model of a name or a folder."""
    try:
        return find_usable(source)
    except PretrainedError as error:
        raise UserError(f"--pretrained: {error}") from None


def _check(config: ServeConfig) -> None:
    """Refuses flags that do not go together, and origins that are none."""
    if (config.model_base_path is None) == (config.pretrained is None):
        got = "none" if config.pretrained is None else "both"
        raise UserError(
            "expected either --model-base-path DIR/NAME, an exported model, or --pretrained NAME; "
            f"got {got}"
        )
    if not config.host:  # Python would listen on all addresses.
        raise UserError("--host expects an address of this machine; got ''")
    if config.rest_port and config.rest_port == config.grpc_port:
        raise UserError(f"--rest-port and --grpc-port expect two ports; got {config.rest_port}")
    for origin in config.cors_origin:
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            raise UserError(
                f"--cors-origin expects https://HOST, also with a port, or '*'; got {origin!r}"
            )


if __name__ == "__main__":
    run_program(main)
