"""A small SavedModel of every kind of signature: `python tests/served_model.py DIR/NAME`.

It needs no training. `tests/export/protocol/conftest.py` says how to put it on a real TF Serving.
"""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import Any

import tensorflow as tf

__all__ = [
    "FOREVER",
    "HALF",
    "MUSIC_STEPS",
    "ROW_ANSWER",
    "WORDS",
    "row",
    "write_model",
    "write_music_model",
]

WORDS = ("tea", "milk", "sugar")
MUSIC_STEPS = 8
FOREVER = 2**40  # Steps of `slow`: days.
HALF = {"signature_name": "half", "instances": [1.0]}  # A request; the answer is 0.5.
ROW_ANSWER = {"text": "7\N{MIDDLE DOT}3\N{MIDDLE DOT}0.50", "num_steps": 3}


def row(length: Any = 3, seed: Any = 7, temperature: Any = 0.5) -> dict[str, Any]:
    """A row that `generate` is asked, that of `ROW_ANSWER`."""
    return {"length": length, "seed": seed, "temperature": temperature}


class _Model(tf.Module):
    """Signatures with a leading batch dimension, a table, and an asset."""

    def __init__(self, words: Path) -> None:
        super().__init__()
        self.words = tf.saved_model.Asset(str(words))
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(
                self.words,
                tf.string,
                tf.lookup.TextFileIndex.WHOLE_LINE,
                tf.int64,
                tf.lookup.TextFileIndex.LINE_NUMBER,
            ),
            default_value=-1,
        )

    def generate(self, length: tf.Tensor, seed: tf.Tensor, temperature: tf.Tensor) -> dict:
        seeds, steps = tf.strings.as_string(seed), tf.strings.as_string(length)
        heat = tf.strings.as_string(temperature, precision=2)
        return {
            "text": tf.strings.join([seeds, steps, heat], separator="\N{MIDDLE DOT}"),
            "num_steps": length,
        }

    def score(self, text: tf.Tensor) -> dict:
        num = tf.strings.length(text, unit="UTF8_CHAR")
        return {"log_likelihood": _log_likelihood(num), "num_characters": num}

    def look_up(self, word: tf.Tensor) -> dict:
        return {"id": self.table.lookup(word)}

    def add_bytes(self, raw: tf.Tensor) -> dict:
        return {"raw_bytes": tf.strings.join([raw, b"\xff\x00"])}

    def types(self, flag: tf.Tensor, point: tf.Tensor, small: tf.Tensor) -> dict:
        return {"not_flag": ~flag, "sum": tf.reduce_sum(point, axis=1), "small": small}

    def half(self, x: tf.Tensor) -> dict:
        return {"y": x / 2.0}

    def uneven(self, x: tf.Tensor) -> dict:
        return {"once": x, "twice": tf.concat([x, x], axis=0)}

    def total(self, x: tf.Tensor) -> dict:
        return {"total": tf.reduce_sum(x)}

    def slow(self, steps: tf.Tensor) -> dict:
        (last,) = tf.while_loop(
            lambda i: tf.reduce_any(i < steps), lambda i: (i + 1,), (tf.zeros_like(steps),)
        )
        return {"last": last}


class _Music(tf.Module):
    """A model of piano rolls, as far as a client can tell."""

    def generate(self, length: tf.Tensor, seed: tf.Tensor, temperature: tf.Tensor) -> dict:
        del seed, temperature
        step = tf.fill(tf.shape(length), b"\x80" + bytes(9) + b"\x01")
        steps = tf.strings.join([step] * MUSIC_STEPS)
        length = tf.minimum(length, MUSIC_STEPS)
        roll = tf.strings.substr(steps, tf.zeros_like(length), 11 * length)
        return {"roll_bytes": roll, "num_steps": length}

    def score(self, roll_bytes: tf.Tensor) -> dict:
        num = tf.strings.length(roll_bytes) // 11
        return {"log_likelihood": _log_likelihood(num), "num_steps": num}


def _log_likelihood(num: tf.Tensor) -> tf.Tensor:
    """0.2 a character, which no binary float is; NaN of nothing."""
    num = tf.cast(num, tf.float32)
    return tf.where(num > 0, -0.2 * num, tf.fill(tf.shape(num), float("nan")))


def _signature(model: tf.Module, method: str, **inputs: tuple[tf.DType, list[int | None]]):
    """Returns a method as a signature, by types and shapes of its inputs."""
    specs = {name: tf.TensorSpec(shape, dtype, name) for name, (dtype, shape) in inputs.items()}
    return tf.function(getattr(model, method)).get_concrete_function(**specs)


def write_model(base_path: Path, version: int = 1) -> Path:
    """Writes `base_path/version` and returns `base_path`."""
    base_path.mkdir(parents=True, exist_ok=True)
    words = base_path / "words.txt"
    words.write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    model = _Model(words)

    signature = functools.partial(_signature, model)
    generate = signature(
        "generate",
        length=(tf.int32, [None]),
        seed=(tf.int64, [None]),
        temperature=(tf.float32, [None]),
    )
    signatures = {
        "serving_default": generate,
        "generate": generate,
        "score": signature("score", text=(tf.string, [None])),
        "look_up": signature("look_up", word=(tf.string, [None])),
        "add_bytes": signature("add_bytes", raw=(tf.string, [None])),
        "types": signature(
            "types", flag=(tf.bool, [None]), point=(tf.float64, [None, 2]), small=(tf.uint8, [None])
        ),
        "half": signature("half", x=(tf.float32, [None])),
        "uneven": signature("uneven", x=(tf.float32, [None])),
        "total": signature("total", x=(tf.float32, [None])),
        "slow": signature("slow", steps=(tf.int64, [None])),
    }
    tf.saved_model.save(model, str(base_path / str(version)), signatures)
    words.unlink()  # The asset is a copy.
    return base_path


def write_music_model(base_path: Path) -> Path:
    """Writes version 1 of a model of music and returns `base_path`."""
    model = _Music()
    generate = _signature(
        model,
        "generate",
        length=(tf.int32, [None]),
        seed=(tf.int64, [None]),
        temperature=(tf.float32, [None]),
    )
    score = _signature(model, "score", roll_bytes=(tf.string, [None]))
    signatures = {"serving_default": generate, "generate": generate, "score": score}
    tf.saved_model.save(model, str(base_path / "1"), signatures)
    return base_path


if __name__ == "__main__":
    print(write_model(Path(sys.argv[1])))
