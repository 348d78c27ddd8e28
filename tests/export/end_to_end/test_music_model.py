"""End to end, for music: what a server answers is what the exported model gives in a session."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from export import client
from tests.export.end_to_end.serving import Model, check_generation, serving
from tests.exported import export_tiny
from train.data.music.midi import read_midi
from train.data.music.rolls import unpack_roll


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    base = tmp_path_factory.mktemp("models") / "music"
    with serving(export_tiny(base, "lstm", emission="made", vocab_size=88)) as model:
        yield model


@pytest.mark.nightly  # The text is drawn in every form by day.
@pytest.mark.parametrize("signature", ["generate", "serving_default"])
def test_generation_is_the_same_in_every_form(music: Model, signature: str) -> None:
    check_generation(music, signature, ["num_steps", "roll_bytes"])


def test_the_client_writes_and_scores_rolls(
    music: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = music.server.rest_url
    flags = ["-n", "2", "--length", "7", "--seed", "1", "--out", str(tmp_path)]
    client.main(["generate", "--url", url, *flags])
    paths = capsys.readouterr().out.split()
    drawn = music.session("generate", length=[7, 7], seed=[1, 2], temperature=[1, 1])["roll_bytes"]
    for path, packed in zip(paths, drawn, strict=True):
        roll = unpack_roll(packed)
        # The first and last step sound, or a file would not tell where the piece ends.
        assert roll.shape == (7, 88) and roll[0].any() and roll[-1].any()
        np.testing.assert_array_equal(read_midi(Path(path)).roll, roll)

    client.main(["score", *paths, "--url", url, "--json"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for name, values in music.session("score", roll_bytes=drawn).items():
        assert np.isfinite(values).all()
        np.testing.assert_array_equal(np.array([row[name] for row in rows], values.dtype), values)
    nothing = {"signature_name": "score", "instances": [{"b64": ""}]}
    (answer,) = music.http.predict(nothing).json()["predictions"]
    assert np.isnan(answer["log_likelihood"]) and answer["num_steps"] == 0
