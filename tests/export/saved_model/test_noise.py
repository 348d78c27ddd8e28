"""Noise as a string, from texts and to texts."""

from __future__ import annotations

import numpy as np
import pytest

from tests.export.kinds import codebook, floats, nightly, strings_of
from tests.exported import CHARACTERS, MAX_LENGTH
from tf_latentflow import Vocabulary


def test_the_noise_of_texts_is_the_models_own(served):
    texts = ["aé語", "\n\t😀aé?"]
    model, size = codebook(), codebook().config.latent_size
    x = np.zeros([2, 6], np.int32)
    for row, text in zip(x, texts, strict=True):
        row[: len(text)] = Vocabulary(CHARACTERS).encode(text)
    mean, _ = model.encode(x, [3, 6])
    eps, _ = model.prior.inverse_and_log_det(mean, [3, 6])
    encoded = served("codebook")("encode", text=[text.encode() for text in texts])
    assert encoded["num_steps"].tolist() == [3, 6]
    for noise, expected, length in zip(encoded["noise_bytes"], eps, (3, 6), strict=True):
        found = floats(noise).reshape(-1, size)
        np.testing.assert_allclose(found, expected[:length], rtol=1e-4, atol=1e-4)
    between, lengths = model.interpolate(x[0], 3, x[1], 6, 5)
    ends = [floats(noise).reshape(-1, size) for noise in encoded["noise_bytes"]]
    first, last = (np.pad(end, [(0, 6 - len(end)), (0, 0)]) for end in ends)
    mixed = [((4 - i) * first + i * last)[:n] / 4 for i, n in enumerate(lengths.numpy())]
    decoded = served("codebook")(
        "decode", noise_bytes=[noise.astype("<f4").tobytes() for noise in mixed]
    )
    symbols = ("\ufffd", "\ufffd", *CHARACTERS)
    expected = [
        "".join(symbols[i] for i in row[:n])
        for row, n in zip(between.numpy(), lengths, strict=True)
    ]
    assert [text.decode() for text in decoded["text"]] == expected


@pytest.mark.parametrize("kind", ["codebook", nightly("af-only-music")])
def test_what_has_no_noise_and_noise_of_nothing(served, kind):
    model = served(kind)
    size = int(model("describe", row=[0])["noise_size"][0])
    step = bytes(4 * size)
    bad = np.array([np.nan] * size, "<f4").tobytes()
    noise = [b"", step, step[1:], step * MAX_LENGTH, step * (MAX_LENGTH + 1), bad, step + bad]
    decoded = model("decode", noise_bytes=noise)
    assert decoded["num_steps"].tolist() == [0, 1, 0, MAX_LENGTH, 0, 0, 0]
    strings = [b"", b"a" * 100] if kind == "codebook" else [b"", b"\0\0\0", b"\0" * 100]
    encoded = model("encode", **{strings_of(model): strings})
    assert encoded["noise_bytes"].tolist() == [b""] * len(strings)
    by_step = model("score_steps", **{strings_of(model): strings})
    unit = "bits" if kind == "codebook" else "nats"
    assert by_step[f"{unit}_bytes"].tolist() == [b""] * len(strings)
    assert np.isnan(by_step[f"length_{unit}"]).all()
