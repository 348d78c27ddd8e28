"""What a model can't use is refused where it enters, with what was expected and what came."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import make_model
from tf_latentflow import FlowPrior, ModelConfig

X, LENGTHS = np.array([[2, 3, 4], [4, 2, 0]]), np.array([3, 2])
Case = tuple[Callable[[keras.Model], object], str]

MANY = {
    "no samples": (lambda m: m.elbo(X, LENGTHS, 0), "num_samples of at least 1; got 0"),
    "none at once": (lambda m: m.estimate(X, LENGTHS, most_at_once=0), "most_at_once of at least"),
    "no steps": (lambda m: m.elbo(X[:, :0], [0, 0]), "at least one step; got"),
    "length 2^31": (lambda m: m.length_model.log_prob([2**31]), "expected int32 numbers"),
    "length 1.5": (lambda m: m.length_model.log_prob([1.5]), "expected whole numbers"),
    "fitted 1.5": (lambda m: m.length_model.fit([1.5]), "expected whole numbers"),
    "prior": (lambda m: m.prior.sample([3], 1001.0), "temperature from 0 to"),
    "cold": (lambda m: m.sample([3], -1.0), "temperature from 0 to 1000; got"),
    "NaN": (lambda m: m.complete(X, [1, 1], temperature=np.nan), "temperature from 0 to 1000; got"),
    "per row": (lambda m: m.vary(X, LENGTHS, 0.1, temperature=[1.0, 2.0]), r"\[\] or \[B, 1, 1\]"),
    "hot": (lambda m: m.fill_in(X, LENGTHS, X > 3, temperature=1001.0), "temperature from 0 to"),
    "emitted": (lambda m: m.emit(np.zeros([2, 3, 5]), [3, 2], [1.0, 2.0]), r"\[\] or \[B, 1, 1\]"),
    "one length": (lambda m: m.complete(X, [1, 1], lengths=5), r"of shape \(2,\); got \(\)"),
    "few lengths": (lambda m: m.complete(X, [1, 1], lengths=[5]), r"of shape \(2,\); got \(1"),
    "no length": (lambda m: m.complete(X, [1, 1], lengths=[-1, 5]), "expected lengths above"),
    "id": (lambda m: m.interpolate([99, 2], 2, [2, 3], 2, 3), "from 0 to .*; got 2 to 99"),
    "end": (lambda m: m.interpolate([2, 2], -1, [2, 3], 2, 3), "length0 of at least 1; got -1"),
    "ends": (lambda m: m.interpolate(X[:1], [2], X[1:], [2], 3), "length0 that is a whole number"),
    "ways": (lambda m: m.interpolate([2, 2], 2, [2, 3], 2, 2.5), "steps that is a whole number"),
    "one way": (lambda m: m.interpolate([2, 2], 2, [2, 3], 2, 1), "steps of at least 2; got 1"),
    "sweeps": (lambda m: m.fill_in(X, LENGTHS, X > 3, sweeps=1.5), "sweeps that is a whole number"),
    "seed": (lambda m: m.vary(X, LENGTHS, 0.1, seed=2**70), "expected a seed from 0 to"),
    "float": (lambda m: m.interpolate([2.0], 1, [2, 3], 2, 3), "x of integers; got float32"),
    "ragged": (lambda m: m.elbo([[2, 3], [4]], [2, 1]), r"padded to one length; got \[\[2, 3\], "),
    "in TensorFlow": (
        lambda m: m.elbo(tf.ragged.constant([[2, 3], [4]]), [2, 1]),
        "padded to one length; got <tf.RaggedTen",
    ),
    "none": (lambda m: m.log_likelihood(X, None), "expected an array of numbers.*; got None"),
    "words": (lambda m: m.sample(["three"]), "expected numbers; got string"),
    "mask": (lambda m: m.elbo(X, [True, True]), "expected numbers; got bool"),
    "warm": (lambda m: m.sample([3], "warm"), "expected numbers; got string"),
    "too many": (lambda m: m.sample([3, 2], np.ones([3, 1, 1])), r"shape \(3, 1, 1\) for lengths"),
    "amounts": (lambda m: m.vary(X, LENGTHS, [0.1, 0.2]), "expected an amount from 0 to 1; got"),
    "drawn": (lambda m: m.length_model.sample(-1), "a number of lengths of at least 0; got -1"),
    "one row": (
        lambda m: m.prior.log_prob(np.zeros([2, 3, 5]), 3),
        r"lengths \[B\]; got shape \(\)",
    ),
    "pairs": (lambda m: m.prior.bijector([[3, 2]]), r"lengths \[B\]; got shape \(1, 2\)"),
    "rows": (
        lambda m: m.logits(np.zeros([3, 3, 5]), [3, 2]),
        r"vectors \[..., B, T, 5\].*\(3, 3, 5\)",
    ),
    "other size": (lambda m: m.emit(np.zeros([2, 3, 9]), [3, 2]), "expected vectors"),
    "short": (lambda m: m.emit(np.zeros([2, 2, 5]), [3, 2]), "from 0 to 2, the number of steps"),
    "size": (lambda m: m.prior.log_prob(np.zeros([2, 3, 9]), [3, 2]), "expected vectors"),
}


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return make_model("codebook")


@pytest.mark.parametrize("case", MANY.values(), ids=MANY)
def test_bad_input_is_refused(model: keras.Model, case: Case) -> None:
    use, message = case
    with pytest.raises(ValueError, match=message):
        use(model)


def test_a_seed_of_unknown_shape_is_refused(model: keras.Model) -> None:
    draw = tf.function(
        lambda seed: model.sample([3], seed=seed),
        input_signature=[tf.TensorSpec(None, tf.int32)],
        autograph=False,
    )
    with pytest.raises(ValueError, match="a whole number or a pair"):
        draw(tf.constant([1, 2]))


def test_lists_are_latents_too(model: keras.Model) -> None:
    z = np.zeros([2, 3, model.config.latent_size])
    expected = model.logits(tf.constant(z, tf.float32), tf.constant(LENGTHS)).numpy()
    np.testing.assert_array_equal(model.logits(z.tolist(), [3, 2]), expected)
    assert model.emit(z.tolist(), [3, 2]).shape == (2, 3)


def test_an_empty_batch_is_filled_in(model: keras.Model) -> None:
    assert model.fill_in(X[:0], LENGTHS[:0], X[:0] > 3).shape == (0, 3)


@pytest.mark.parametrize("name", ["codebook", "lstm"])
def test_a_graph_draws_nothing_if_nothing_is_asked_for(name: str) -> None:
    drawing = make_model(name)
    draw = tf.function(
        lambda lengths: drawing.sample(lengths, 1.0, [0, 0]),
        input_signature=[tf.TensorSpec([None], tf.int32)],
        autograph=False,
    )
    assert draw(tf.constant([0, 0])).shape == (2, 0)
    assert draw(tf.zeros([0], tf.int32)).shape == (0, 0)
    assert draw(tf.constant([3, 1])).shape == (2, 3)


def test_a_prior_that_reads_symbols_needs_a_codebook() -> None:
    with pytest.raises(ValueError, match="expected the codebook"):
        FlowPrior(ModelConfig.from_name("codebook", preset="tiny"))


def test_another_float_is_refused() -> None:
    keras.config.set_floatx("float16")
    try:
        with pytest.raises(ValueError, match=r"floatx\(\) of float32 or float64; got float16"):
            make_model("codebook")
    finally:
        keras.config.set_floatx("float32")
