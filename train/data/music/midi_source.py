"""Reads the bytes of a Standard MIDI File, which may be wrapped in gzip or RIFF."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path

from train.support.reading import GZIP

__all__ = ["MAX_BYTES", "read_source"]

MAX_BYTES = 2**23  # Bounds time and memory; a long piece has a small fraction of this.
_CHUNK_HEADER = 8  # Bytes: a name of 4, a size of 4.


def read_source(path: Path) -> bytes:
    """Returns the bytes of a MIDI file. Those of a valid file begin with `MThd`.

    A file of the type RMID (`.rmi`) is RIFF with a MIDI file in the chunk `data`.

    Raises:
      ValueError: The gzip or RIFF data is damaged, or there are more than `MAX_BYTES`.
      OSError: The file cannot be read.
    """
    with open(path, "rb") as file:
        data = _bounded(file.read(MAX_BYTES + 1))
    if data.startswith(GZIP):
        data = _out_of_gzip(data)
    return _out_of_riff(data) if data.startswith(b"RIFF") else data


def _bounded(data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES // 2**20} MiB, which no piece needs")
    return data


def _out_of_gzip(data: bytes) -> bytes:
    """Decompresses data, which may become a thousand times as large."""
    try:
        return _bounded(gzip.GzipFile(fileobj=io.BytesIO(data)).read(MAX_BYTES + 1))
    except EOFError as error:
        raise ValueError("its gzip data end too early") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"its gzip is damaged: {error}") from error


def _out_of_riff(data: bytes) -> bytes:
    """Returns the chunk `data` of a file of the type RMID."""
    if data[8:12] != b"RMID":
        raise ValueError(f"it is RIFF of the type {data[8:12]!r}, and not RMID")
    position = 12
    while position < len(data):
        name = data[position : position + 4]
        size = int.from_bytes(data[position + 4 : position + _CHUNK_HEADER], "little")
        position += _CHUNK_HEADER
        if name == b"data":
            return data[position : position + size]
        position += size + size % 2
    raise ValueError("its RIFF has no chunk 'data'")
