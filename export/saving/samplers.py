"""Draws a batch from the noise of its rows, with or without XLA."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf

from export.saving.request_noise import LATENTS, SYMBOLS, Drawn, request_noise

__all__ = ["Sampler", "compiled_lengths", "make_sampler"]

_SHORTEST = 32

Sampler = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]

# From the noise of each row `[B, T, n]`, lengths int32 `[B]`, temperatures float32 `[B]`
# and T to x int32 `[B, T, *event_shape]`.
_Compute = Callable[[list[tf.Tensor], tf.Tensor, tf.Tensor, int | tf.Tensor], tf.Tensor]


def make_sampler(model: keras.Model, xla: bool = False) -> Sampler:
    """Returns `draw(lengths, seeds, temperatures) -> x`.

    The arguments are int32, int64 and float32 `[B]`; x is int32 `[B, T, *event_shape]`, 0 beyond
    each length, with T at least the maximum length. By default all operations are plain ones, and
    serial dimensions are solved by sweeps. With `xla`, a compiled function computes the same from
    the same noise, one dimension after the other; only a server with XLA can run it.
    """
    config = model.config

    def compute(
        noise: list[tf.Tensor],
        lengths: tf.Tensor,
        temperatures: tf.Tensor,
        num_steps: int | tf.Tensor,
    ) -> tf.Tensor:
        with model.executing(sweep_dimensions=not xla):
            return model.sample(lengths, temperatures[:, None, None], Drawn(*noise), num_steps)

    drawing = _compiled(compute, config.max_length) if xla else compute

    def draw(lengths: tf.Tensor, seeds: tf.Tensor, temperatures: tf.Tensor) -> tf.Tensor:
        # Not part of the compiled function, because XLA draws other normal numbers from a seed.
        source = request_noise(seeds)
        rows, num_steps = tf.shape(lengths)[0], tf.maximum(tf.reduce_max(lengths), 1)
        noise = [source.fold(SYMBOLS).uniform([rows, num_steps, config.vocab_size], tf.float32)]
        if config.is_flow:
            shape = [rows, num_steps, config.latent_size]
            noise.append(source.fold(LATENTS).normal(shape, tf.float32))
        return drawing(noise, lengths, temperatures, num_steps)

    return draw


def compiled_lengths(max_length: int) -> list[int]:
    """The numbers of steps for which a function is compiled.

    >>> compiled_lengths(288)
    [32, 64, 128, 256, 288]
    """
    lengths = []
    while _SHORTEST << len(lengths) < max_length:
        lengths.append(_SHORTEST << len(lengths))
    return [*lengths, max_length]


def _compiled(compute: _Compute, max_length: int) -> _Compute:
    """Rounds rows and steps up, and calls the function compiled for that number of steps.

    Rows are rounded to a power of two, so that few shapes are compiled.
    """
    sizes = compiled_lengths(max_length)
    compute = tf.function(compute, jit_compile=True, autograph=False)

    def padded(
        noise: list[tf.Tensor],
        lengths: tf.Tensor,
        temperatures: tf.Tensor,
        num_steps: int | tf.Tensor,
    ) -> tf.Tensor:
        num_rows = tf.shape(lengths)[0]
        extra = [0, _power_of_two(num_rows) - num_rows]
        batch = [tf.pad(values, [extra]) for values in (lengths, temperatures)]

        def branch(size: int) -> Callable[[], tf.Tensor]:
            steps = [0, size - num_steps]

            def computed() -> tf.Tensor:
                rows = [tf.pad(values, [extra, steps, [0, 0]]) for values in noise]
                return compute(rows, *batch, size)

            return computed

        index = tf.reduce_sum(tf.cast(num_steps > tf.constant(sizes), tf.int32))
        return tf.switch_case(index, [branch(size) for size in sizes])[:num_rows]

    return padded


def _power_of_two(n: tf.Tensor) -> tf.Tensor:
    """The smallest power of two that is at least n, or 1 for 0; int32, by doubling."""
    return tf.while_loop(lambda size: size < n, lambda size: 2 * size, [tf.constant(1)])[0]
