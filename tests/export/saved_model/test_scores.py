"""Scores, whole and by step."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from export.saving.options import ExportOptions
from export.saving.signatures import Endpoint
from export.saving.text_codec import TextCodec, write_vocabulary
from tests.export.kinds import MUSIC, floats, nightly, strings_of
from tests.exported import CHARACTERS, MAX_LENGTH
from tests.models import LEAST_FIELDS, make_model
from tf_latentflow import Vocabulary


@pytest.mark.parametrize("kind", ["codebook", nightly("lstm")])
def test_texts_without_a_score_get_nan(served, kind):
    model = served(kind)
    texts = ["", "a" * (MAX_LENGTH + 1), "a?", "語" * MAX_LENGTH]
    scored = model("score", text=[text.encode() for text in texts])
    assert np.isnan(scored["log_likelihood"]).tolist() == [True, True, False, False]
    assert np.isnan(scored["bits_per_character"]).tolist() == [True, True, False, False]
    assert scored["num_characters"].tolist() == [0, MAX_LENGTH + 1, 2, MAX_LENGTH]
    assert scored["num_unknown"].tolist() == [0, 0, 1, 0]
    bits = -scored["log_likelihood"][2:] / np.log(2) / np.array([3, MAX_LENGTH + 1])
    np.testing.assert_allclose(scored["bits_per_character"][2:], bits, rtol=1e-6)


@pytest.mark.parametrize("kind", ["lstm-music", nightly("af-only-music")])
def test_rolls_without_a_score_get_nan(served, kind):
    rolls = [b"", b"\0\0" * (MAX_LENGTH + 1), b"\0\0\0", b"\xff\xe0" * 3]
    scored = served(kind)("score", roll_bytes=rolls)
    assert np.isnan(scored["log_likelihood"]).tolist() == [True, True, True, False]
    assert scored["num_steps"].tolist() == [0, MAX_LENGTH + 1, 0, 3]


def test_the_baselines_score_is_its_likelihood(served):
    rolls = np.random.default_rng(0).integers(0, 2, (2, 5, 11), np.uint8)
    model = make_model("lstm", 0.3, max_length=MAX_LENGTH, **MUSIC)
    packed = [np.packbits(roll, axis=-1).tobytes() for roll in rolls]
    scored = served("lstm-music")("score", roll_bytes=packed)
    expected = model.log_likelihood(rolls, [5, 5])
    np.testing.assert_allclose(scored["log_likelihood"], expected, rtol=1e-5)


@pytest.mark.nightly
def test_a_flows_score_estimates_its_likelihood(tmp_path):
    text = "aé語\n\t😀aé?"
    fields = {"vocabulary": CHARACTERS, "vocab_size": len(CHARACTERS) + 2}
    # Small weights, so that q(z | x) is close to the prior: few samples are enough.
    model = make_model("af-only", 0.02, max_length=MAX_LENGTH, **fields, **LEAST_FIELDS)
    x = Vocabulary(CHARACTERS).encode(text)[None]
    expected = model.log_likelihood(x, [len(text)], num_samples=20_000)[0]
    write_vocabulary(tmp_path / "vocabulary.txt", CHARACTERS)
    codec = TextCodec(tmp_path / "vocabulary.txt", MAX_LENGTH)
    options = ExportOptions(MAX_LENGTH, score_samples=20_000)
    score = Endpoint(model, codec, options).signatures()["score"]
    scored = score(text=tf.constant([text]))["log_likelihood"][0]
    assert abs(scored - expected) < 0.1


@pytest.mark.parametrize("kind", ["lstm-music", nightly("lstm")])
def test_steps_add_up_to_the_baselines_score(served, kind):
    model = served(kind)
    unit, size = ("bits", np.log(2)) if kind == "lstm" else ("nats", 1)
    strings = ["aé語".encode()] if kind == "lstm" else [b"\xff\xe0\0\0\x80\0"]
    by_step = model("score_steps", **{strings_of(model): strings})
    steps = floats(by_step[f"{unit}_bytes"][0])
    assert steps.shape == (3,) and (steps > 0).all()
    total = steps.sum() + by_step[f"length_{unit}"][0]
    scored = model("score", **{strings_of(model): strings})["log_likelihood"][0]
    np.testing.assert_allclose(-total * size, scored, rtol=1e-5)
