"""The results of a split as lines of text."""

from __future__ import annotations

from train.engine.results_table import results_table
from train.support.units import BITS_PER_CHARACTER, NATS_PER_STEP

FLOW_OF_TEXT = """\
test split, bits per character
bpc                   2.0000 +- 0.1000  -(log p(x|T) + log p(T)) / log 2 / sum(T + 1)
reconstruction                  1.5000  -log p(x|z) of the ELBO
KL                              0.7500  KL(q(z|x) || p(z)) of the ELBO
bpc given length                2.2500  -log p(x|T) / log 2 / sum(T)
sentences                            4  50 importance samples
unknown characters                   3  evaluated as the unknown symbol
sentences left out                   2  longer than the maximum length of the model"""
BASELINE_OF_MUSIC = """\
the whole dataset, nats per time step
nats per step                   2.0000  -(log p(x|T) + log p(T)) / sum(T + 1)
reconstruction                       -  -log p(x|z) of the ELBO
KL                                   -  KL(q(z|x) || p(z)) of the ELBO
given length                    2.2500  -log p(x|T) / sum(T)
pieces                               1  exact"""


def test_each_number_has_its_definition() -> None:
    unit = BITS_PER_CHARACTER
    results = {
        **{unit.name: 2.0, unit.stderr: 0.1, unit.given_length: 2.25},
        **{unit.reconstruction: 1.5, unit.kl: 0.75, "num_sequences": 4, "num_samples": 50},
        **{"num_unknown": 3, "num_too_long": 2},
    }
    assert results_table("test", results, unit) == FLOW_OF_TEXT
    unit = NATS_PER_STEP
    results = {
        **{unit.name: 2.0, unit.stderr: None, unit.given_length: 2.25},
        **{unit.reconstruction: None, unit.kl: None, "num_sequences": 1, "num_samples": 1},
    }
    assert results_table(None, results, unit) == BASELINE_OF_MUSIC
