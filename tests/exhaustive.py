"""Probabilities of all sequences of a tiny model, summed up: what draws are compared with."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from tests.models import make_model

__all__ = ["distance", "posterior", "prior_draws", "shares", "small_model"]

Outcomes = dict[tuple[int, ...], float]

# Cheap to trace; their latents are numbers.
SMALL = {"scalar": "affine", "hidden": "none", "latent_size": 1, "flow_layers": 1}
# The choices, a mean of q that is not far from the prior, and the seed of such weights.
KINDS = {
    "one step": ({**SMALL, "inference": "local", "emitter": "local"}, -1.0, 19),
    "whole sequence": ({**SMALL, "time": "iaf"}, 4.0, 3),
}


def small_model(kind: str) -> keras.Model:
    """A model of three symbols and at most three steps; q is too wide and off the prior."""
    sizes = {"vocab_size": 3, "max_length": 3, "hidden_size": 4}
    if kind == "baseline":
        model = make_model("lstm", spread=1.0, **sizes)
        # Gates open or shut: the first symbol says something of the length.
        model.stack.positions.end.assign(np.repeat([[0.0], [5.0], [-5.0]], 16, axis=1))
        model.symbols.bias.assign([0.0, 0.0, 0.0])
    else:
        choices, mean, seed = KINDS[kind]
        model = make_model("af-indep-affine", **sizes, **choices)
        rng = np.random.default_rng(seed)
        for variable in model.trainable_variables:
            variable.assign(rng.normal(0, 0.7, variable.shape))
        outputs = model.inference_network.outputs
        outputs.kernel.assign(0.2 * outputs.kernel)
        outputs.bias.assign([mean, 1.0])
    model.length_model.fit(np.array([1, 2, 2, 3, 3, 3]))
    return model


def posterior(
    model: keras.Model, given: Sequence[int | None], lengths: Sequence[int], num_samples: int = 4000
) -> Outcomes:
    """The probability of every sequence of some lengths that has the given symbols, None for any.

    Steps beyond those of `given` are free. p(x | T) of a flow is the mean of p(x | z, T) over
    `num_samples` samples of the prior, which needs nothing of q.
    """
    weights: Outcomes = {}
    for length in lengths:
        steps = [*given, *[None] * length][:length]
        symbols = range(model.config.vocab_size)
        choices = [symbols if step is None else [step] for step in steps]
        x = np.array(list(itertools.product(*choices)))
        log_length = float(model.length_model.log_prob(length))
        probs = np.exp(log_length) * _probs(model, x, num_samples)
        weights |= dict(zip(map(tuple, x.tolist()), probs, strict=True))
    total = sum(weights.values())
    return {x: weight / total for x, weight in weights.items()}


def _probs(model: keras.Model, x: np.ndarray, num_samples: int) -> np.ndarray:
    """p(x | T) of sequences `[N, T]`."""
    rows, length = x.shape
    if not model.config.is_flow:
        return np.exp(model.estimate(x, np.full(rows, length)).log_prob)
    z, lengths = prior_draws(model, num_samples, length)
    logits = model.logits(z, lengths).numpy()
    log_probs = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
    each = log_probs[:, np.arange(length), x]  # [S, N, T]
    return np.mean(np.exp(np.sum(each, axis=-1)), axis=0)


def prior_draws(model: keras.Model, num: int, length: int) -> tuple[tf.Tensor, np.ndarray]:
    """Latents `[num, T, H]` of the prior, and their lengths; not each row's own, for the time."""
    eps = np.random.default_rng(8).normal(size=[num, length, model.config.latent_size])
    lengths = np.full(num, length, np.int32)
    return model.prior.forward_and_log_det(eps, lengths)[0], lengths


def shares(x: np.ndarray, lengths: np.ndarray) -> Outcomes:
    """How often each sequence is among the rows of a batch."""
    rows = [tuple(row[:size].tolist()) for row, size in zip(x, lengths, strict=True)]
    return {row: rows.count(row) / len(rows) for row in set(rows)}


def distance(a: Outcomes, b: Outcomes) -> float:
    """The total variation distance of two distributions, from 0 to 1."""
    return 0.5 * sum(abs(a.get(key, 0.0) - b.get(key, 0.0)) for key in a.keys() | b.keys())
