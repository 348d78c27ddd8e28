"""Makes the tables of accuracy in docs/GENERATION.md: `python -m tests.generation_tables`."""

from __future__ import annotations

import keras
import numpy as np

from tests.exhaustive import distance, posterior, shares, small_model

__all__ = ["main"]


def main() -> None:
    """Prints the distances between draws and the exact distribution."""
    keras.config.set_floatx("float64")
    x, lengths = np.ones([4000, 1], np.int32), np.ones(4000, np.int32)
    for kind in ("one step", "whole sequence"):
        model = small_model(kind)
        exact = posterior(model, [1], [2, 3], num_samples=20_000)
        for num in (1, 4, 16, 64):
            drawn, drawn_lengths = model.complete(x, lengths, num_particles=num, seed=[1, 2])
            found = distance(shares(drawn.numpy(), drawn_lengths.numpy()), exact)
            print(f"continue, {kind}, K = {num}: {found:.3f}", flush=True)
    model = small_model("one step")
    exact = posterior(model, [None, None, 1], [3], num_samples=20_000)
    x, lengths = np.tile([0, 0, 1], (2000, 1)), np.full(2000, 3)
    for sweeps in (1, 4, 8):
        drawn = model.fill_in(x, lengths, x == 1, num_particles=2, sweeps=sweeps, seed=[1, 2])
        found = distance(shares(drawn.numpy(), lengths), exact)
        print(f"fill in, one step, K = 2, {sweeps} sweeps: {found:.3f}", flush=True)


if __name__ == "__main__":
    main()
