"""Layers of self-attention over time, causal with a cache or two-sided."""

from __future__ import annotations

import math
from typing import NamedTuple

import tensorflow as tf

from bijectors.masks import step_mask
from tf_latentflow.networks.positions import Positions
from tf_latentflow.networks.residual import ResidualStack
from tf_latentflow.networks.sequence_network import Masks

__all__ = ["AttentionStack"]


class _Cache(NamedTuple):
    """Keys and values of the last steps, the newest last.

    Attributes:
      keys: `[..., T, U]`.
      values: `[..., T, U]`.
      met: 1 where there was a step, `[..., T]`.
    """

    keys: tf.Tensor
    values: tf.Tensor
    met: tf.Tensor


class AttentionStack(ResidualStack):
    """Layers of attention and a hidden layer, each after a normalisation (Vaswani et al., 2017).

        h = W x + position code
        h += A_k attention(norm(h));  h += V_k relu(U_k norm(h))

    A step attends to itself and to earlier steps, if two-sided also to later ones.

    See `ResidualStack` for the arguments.
    """

    norms_per_layer = 2

    def _make_layers(self) -> None:
        layers, units = range(self.num_layers), self.units
        self._heads = max(n for n in range(1, max(units // 32, 1) + 1) if units % n == 0)
        self.queries = [self._dense(units, 3 * units, f"queries_{k}") for k in layers]
        self.attended = [self._dense(units, units, f"attended_{k}") for k in layers]
        self.hidden = [self._dense(units, units, f"hidden_{k}") for k in layers]
        self.outputs = [self._dense(units, units, f"output_{k}") for k in layers]

    def initial_state(
        self, positions: Positions, batch_shape: tf.Tensor, num_steps: int | tf.Tensor
    ) -> tuple[_Cache, ...]:
        """For each layer an empty cache of `num_steps` steps."""
        zeros = tf.zeros(tf.concat([batch_shape, [num_steps, self.units]], 0), self.compute_dtype)
        return tuple(_Cache(zeros, zeros, zeros[..., 0]) for _ in self.queries)

    def step(
        self, inputs: tf.Tensor, offset: tf.Tensor, state: tuple[_Cache, ...], masks: Masks = ()
    ) -> tuple[tf.Tensor, tuple[_Cache, ...]]:
        self._check_goes_step_by_step()
        h = self._first(inputs, offset)
        new_state = []
        for k, cache in enumerate(state):
            query, key, value = self._query_key_value(k, h[..., None, :])
            cache = _Cache(
                tf.concat([cache.keys[..., 1:, :], key], axis=-2),
                tf.concat([cache.values[..., 1:, :], value], axis=-2),
                tf.concat([cache.met[..., 1:], tf.ones_like(cache.met[..., :1])], axis=-1),
            )
            met = cache.met[..., None, None, :] > 0
            h = self._layer(
                k, h, self._attend(query, cache.keys, cache.values, met)[..., 0, :], masks
            )
            new_state.append(cache)
        return self._last(h, masks), tuple(new_state)

    def call(self, inputs: tf.Tensor, positions: Positions, masks: Masks = ()) -> tf.Tensor:
        h = self._first(inputs, self.positions(positions))
        steps = tf.range(tf.shape(h)[-2])
        seen = steps <= steps[:, None]  # [..., heads, to, from]
        if self.two_sided:
            seen = step_mask(positions.lengths, h)[..., None, None, :, 0]
        for k in range(len(self.queries)):
            query, key, value = self._query_key_value(k, h)
            h = self._layer(k, h, self._attend(query, key, value, seen), masks)
        return self._last(h, masks)

    def _query_key_value(self, k: int, h: tf.Tensor) -> list[tf.Tensor]:
        return tf.split(self._apply(self.queries[k], self.norms[2 * k](h)), 3, axis=-1)

    def _attend(
        self, query: tf.Tensor, key: tf.Tensor, value: tf.Tensor, seen: tf.Tensor
    ) -> tf.Tensor:
        """`query [..., N, U]`, `key` and `value [..., T, U]`, to `[..., N, U]`."""
        query, key, value = (self._in_heads(values) for values in (query, key, value))
        scores = tf.einsum("...nhd,...thd->...hnt", query, key) / math.sqrt(query.shape[-1])
        # Added, since `tf.where` of all scores takes several times as long. It is finite, so that a
        # sequence of length 0, of which no step is seen, has no NaN.
        unseen = tf.where(seen, tf.zeros([], scores.dtype), scores.dtype.min)
        weights = tf.nn.softmax(scores + unseen)
        attended = tf.einsum("...hnt,...thd->...nhd", weights, value)
        return tf.reshape(attended, tf.concat([tf.shape(attended)[:-2], [self.units]], 0))

    def _in_heads(self, values: tf.Tensor) -> tf.Tensor:
        shape = tf.concat([tf.shape(values)[:-1], [self._heads, self.units // self._heads]], 0)
        return tf.reshape(values, shape)

    def _layer(self, k: int, h: tf.Tensor, attended: tf.Tensor, masks: Masks) -> tf.Tensor:
        h += self._apply(self.attended[k], attended)
        hidden = tf.nn.relu(self._apply(self.hidden[k], self.norms[2 * k + 1](h)))
        return h + self._apply(self.outputs[k], self._drop(hidden, masks, k))
