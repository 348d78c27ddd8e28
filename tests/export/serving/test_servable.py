"""Which version of a model is loaded, and what is asked of it first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from export.saving import warmup
from export.saving.warmup import play_warmup, write_warmup
from export.serving.servable import load_newest
from tests.served import predict_request
from tests.served_model import write_model
from train.support.errors import UserError

MAX_BYTES = 100_000


def test_the_newest_version_is_served(tmp_path: Path) -> None:
    base = write_model(tmp_path / "m", version=9)
    (base / "9").rename(base / "0010")
    for name in ("2", "x", "11x"):
        (base / name).mkdir()
    (base / "12").write_text("a file")
    newest = load_newest(base)
    assert (newest.name, newest.version) == ("m", 10)
    newest.check("m")
    newest.check("m", 10)
    with pytest.raises(tf.errors.NotFoundError, match="Specific.m, 1."):
        newest.check("m", 1)
    with pytest.raises(tf.errors.InvalidArgumentError, match="version label: stable"):
        newest.check("m", label="stable")
    with pytest.raises(tf.errors.DeadlineExceededError):
        newest.predict("half", {"x": np.float32([1])}, timeout=0)
    newest.close()


def test_what_is_refused_before_the_session(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(model)
    servable = load_newest(Path())
    servable.check("cases")
    row = {"seed": np.int64([1, 2]), "temperature": np.float32([1])}
    message = "inputs of unequal length: length 1, seed 2, temperature 1; expected"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        servable.predict("generate", {"length": np.int32([1]), **row})
    # A session has no limit of less than a millisecond, and takes 0 for none.
    with pytest.raises(tf.errors.DeadlineExceededError):
        servable.predict("slow", {"steps": np.int64([300_000])}, timeout=1e-4)
    servable.close()


def test_warm_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    servable = load_newest(write_model(tmp_path / "cases"))
    assert play_warmup(servable, MAX_BYTES) == 0
    good = predict_request("cases", "half", x=np.float32([1]))
    write_warmup(servable.path, [good, good])
    said: list[str] = []
    assert play_warmup(servable, MAX_BYTES, said.append) == 2
    assert said == ["request 1 of 2 (half)", "request 2 of 2 (half)"]
    with monkeypatch.context() as patch, pytest.raises(UserError, match="at most 1 "):
        patch.setattr(warmup, "_MOST", 1)
        play_warmup(servable, MAX_BYTES)
    write_warmup(servable.path, [good, predict_request("cases", "half", z=np.float32([1]))])
    with pytest.raises(UserError, match="warm-up request 2 .* fails"):
        play_warmup(servable, MAX_BYTES)
    (path,) = (servable.path / "assets.extra").iterdir()
    assert path.name == "tf_serving_warmup_requests"
    path.write_bytes(b"no records" * 10)
    with pytest.raises(UserError, match="warm-up request 1 .* fails"):
        play_warmup(servable, MAX_BYTES)
    servable.close()
