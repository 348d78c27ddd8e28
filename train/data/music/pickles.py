"""The benchmark sets as pickles of note lists, read without running any code in them."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from train.data.music.rolls import HIGHEST_NOTE, LOWEST_NOTE, NUM_NOTES
from train.data.music.splits_apart import answer_splits, check_size, read_splits
from train.data.splits import SPLITS
from train.support.errors import UserError

__all__ = ["read_pickle"]

_NOTES = range(LOWEST_NOTE, HIGHEST_NOTE + 1)
_SHOWN = 4  # Maximum number of items of a list in a message.
_SHOWN_LENGTH = 20  # Maximum number of characters of an item.
_EXPECTED = "a pickle of note lists"
_CURE = "get the file of the released set"
_LAST_PLACE = 2**32 - 1  # Greatest index in a pickle's memo, which has at most four bytes.
_OTHERS = {
    "a set": (pickle.EMPTY_SET, pickle.ADDITEMS, pickle.FROZENSET),
    "a call": (pickle.REDUCE, pickle.BUILD, pickle.OBJ, pickle.NEWOBJ, pickle.NEWOBJ_EX),
    "shared memory": (pickle.BYTEARRAY8, pickle.NEXT_BUFFER, pickle.READONLY_BUFFER),
}


def read_pickle(path: Path) -> dict[str, list[np.ndarray]]:
    """Reads the three splits of a pickle, of any protocol and of Python 2 or 3.

    It is read in a separate process, because a small pickle can take any amount of memory and time.

    Args:
      path: A file with a pickled `{"train": pieces, "valid": pieces, "test": pieces}`, where a
        piece is a list of steps, and a step is a list of the MIDI numbers that sound in it.

    Returns:
      The piano rolls by split, in the order of the file; a roll may have no steps.

    Raises:
      UserError: It is not such a file, is damaged, or needs anything except lists, tuples, dicts,
        strings and numbers. No code in the pickle is run.
    """
    return read_splits("train.data.music.pickles", path, _EXPECTED, _CURE)


def _read(data: bytes, path: str) -> dict[str, list[np.ndarray]]:
    """Reads the bytes of a file; `path` is its name in messages."""
    try:
        value = _PlainUnpickler(io.BytesIO(data), encoding="latin1").load()
    except _Refused as error:
        raise UserError(
            f"refused the pickle {path!r}: it asks for {error!s:.80}, but note lists need only "
            f"lists, tuples, dicts and numbers; no code in it was run; {_CURE}"
        ) from error
    except KeyError as error:
        raise pickle.UnpicklingError(f"{error} is not an operation of a pickle") from error
    if not isinstance(value, dict) or not all(_is_list(value.get(split)) for split in SPLITS):
        raise UserError(
            f"expected a dict of the lists {', '.join(SPLITS)} in {path!r}; "
            f"got {_describe(value)}; {_CURE}"
        )
    places = [
        (split, piece, f"{path!r}, {split}, piece {number}")
        for split in SPLITS
        for number, piece in enumerate(value[split], start=1)
    ]
    for _, piece, where in places:
        if not _is_list(piece):
            raise UserError(f"expected a list of steps in {where}; got {_type(piece)}; {_CURE}")
    check_size(sum(len(piece) for _, piece, _ in places), path)
    # The same list may occur many times, for a few bytes each, so it is converted only once.
    rows: dict[int, bytes] = {}
    splits: dict[str, list[np.ndarray]] = {split: [] for split in SPLITS}
    for split, piece, where in places:
        splits[split].append(_roll(piece, where, rows))
    return splits


class _Refused(Exception):
    """The pickle needs an object of a class, or calls a function."""


def _refuse(what: str) -> Callable[[object], NoReturn]:
    def operation(self: object) -> NoReturn:
        raise _Refused(what)

    return operation


# The unpickler written in Python, whose operations can be overridden. It takes linear time.
class _PlainUnpickler(pickle._Unpickler):
    """Builds lists, tuples, numbers, strings, and dicts with strings as keys; refuses the rest.

    Keys of other types may all have the same hash, or a hash that takes very long to compute: a few
    bytes of nested tuples are enough for that.
    """

    dispatch = dict(pickle._Unpickler.dispatch)

    def find_class(self, module: str, name: str) -> NoReturn:
        raise _Refused(f"{module}.{name}")

    def persistent_load(self, pid: object) -> NoReturn:
        raise _Refused("an object kept outside of it")

    def _set_items(self) -> None:
        self._check_keys(self.stack[::2])
        self.load_setitems()

    def _set_item(self) -> None:
        self._check_keys(self.stack[-2:-1])
        self.load_setitem()

    def _make_dict(self) -> None:
        self._check_keys(self.stack[::2])
        self.load_dict()

    def _put(self) -> None:
        self.load_put()
        if next(reversed(self.memo)) > _LAST_PLACE:
            raise _Refused("a place that no pickle has")

    def _check_keys(self, keys: list[object]) -> None:
        for key in keys:
            if type(key) is not str:
                raise _Refused(f"a dict with {_type(key)} as a key")

    dispatch |= {
        pickle.SETITEMS[0]: _set_items,
        pickle.SETITEM[0]: _set_item,
        pickle.DICT[0]: _make_dict,
        pickle.PUT[0]: _put,
    }
    for what, opcodes in _OTHERS.items():
        dispatch |= dict.fromkeys((opcode[0] for opcode in opcodes), _refuse(what))


def _is_list(value: object) -> bool:
    return isinstance(value, (list, tuple))


def _roll(piece: Any, where: str, rows: dict[int, bytes]) -> np.ndarray:
    """Returns a list of steps, each a list of MIDI numbers, as a piano roll.

    `rows` are those of earlier steps, by identity; new ones are added.
    """
    for time, step in enumerate(piece, start=1):
        if id(step) not in rows:
            rows[id(step)] = _row(step, where, time)
    joined = b"".join([rows[id(step)] for step in piece])
    return np.frombuffer(joined, np.uint8).reshape(-1, NUM_NOTES)


def _row(step: Any, where: str, time: int) -> bytes:
    """Returns the row of a piano roll with these notes."""
    row = bytearray(NUM_NOTES)
    for note in step if _is_list(step) else [None]:
        if note not in _NOTES:
            raise UserError(
                f"expected a list of MIDI numbers from {LOWEST_NOTE} to {HIGHEST_NOTE} in {where}, "
                f"step {time}; got {_brief(step)}; {_CURE}"
            )
        row[int(note) - LOWEST_NOTE] = 1
    return bytes(row)


def _describe(value: object) -> str:
    """Returns the type of a value, or the keys of a dict, for an error message."""
    if not isinstance(value, dict):
        return _type(value)
    keys = sorted(_item(key).strip("'") for key in value)
    return "the keys " + (_enumerate(keys) or "of an empty dict")


def _brief(value: object) -> str:
    """Returns a short form of a value for an error message."""
    return f"[{_enumerate(map(_item, value))}]" if _is_list(value) else _item(value)


def _enumerate(items: Any) -> str:
    first = [item for item, _ in zip(items, range(_SHOWN + 1), strict=False)]
    return ", ".join(first[:_SHOWN] + ["..."] * (len(first) > _SHOWN))


def _item(value: object) -> str:
    """Returns a number or string, shortened; for any other value its type."""
    if isinstance(value, (str, bytes)):
        return repr(value[:_SHOWN_LENGTH])
    if isinstance(value, (bool, float)) or (isinstance(value, int) and value.bit_length() < 64):
        return repr(value)
    return _type(value)


def _type(value: object) -> str:
    name = type(value).__name__
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


if __name__ == "__main__":
    answer_splits(_read)
