"""What a model's name, preset and emission stand for: one ordered list of rules.

Example:
  >>> from tf_latentflow import MODEL_NAMES, PRESETS
  >>> MODEL_NAMES[:3], PRESETS
  (('codebook', 'af-af', 'af-scf'), ('tiny', 'small', 'paper'))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bijectors.tables import COUPLING_TIME_STRUCTURES
from tf_latentflow.config.choices import WITHOUT_STATES

__all__ = [
    "GIVEN",
    "MODEL_NAMES",
    "NOTES",
    "PRESETS",
    "RULES",
    "Rule",
    "Setting",
    "resolve",
]

GIVEN = object()
"""In a rule's `when`: the user gave a value, whichever it is."""


class Rule(NamedTuple):
    """Values of fields, and the condition under which they apply. The last matching rule counts.

    Attributes:
      when: Required values by name: a value, a tuple of values, or `GIVEN`. Empty for always.
      fields: Values by field.
    """

    when: Mapping[str, Any]
    fields: Mapping[str, Any]


class Setting(NamedTuple):
    """A value, and where it comes from.

    Attributes:
      value: The value.
      when: The condition of the rule that set it, with the values that matched. Empty for a
        default, and `{name: GIVEN}` for a value given by the user.
    """

    value: Any
    when: Mapping[str, Any]


def resolve(
    rules: Sequence[Rule], defaults: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Setting]:
    """Returns the fields that have a default, each with its source.

    Args:
      rules: Applied in order; a rule can test what earlier ones have set.
      defaults: Values where no rule applies.
      given: Values from the user, which no rule changes, and anything else that rules test.

    Raises:
      KeyError: A rule tests a name that is neither a field nor given.
    """
    found = {name: Setting(value, {}) for name, value in defaults.items()}
    found |= {name: Setting(value, {name: GIVEN}) for name, value in given.items()}
    for when, fields in rules:
        if all(_holds(name, wanted, found, given) for name, wanted in when.items()):
            met = {n: GIVEN if wanted is GIVEN else found[n].value for n, wanted in when.items()}
            found |= {n: Setting(value, met) for n, value in fields.items() if n not in given}
    return {name: found[name] for name in defaults}


def _holds(name: str, wanted: Any, found: Mapping[str, Setting], given: Mapping[str, Any]) -> bool:
    if wanted is GIVEN:
        return name in given
    value = found[name].value
    return value in wanted if isinstance(wanted, tuple) else value == wanted


# The emissions of music: a step is a chord, whose notes are 0 or 1.
NOTES = ("bernoulli", "made")
_SYMBOLS = {"conditioner_input": "symbols"}
_CODEBOOKS = ("codebook", "multiscale-codebook")

# A later rule counts more. A row is one line, and may have sizes of its own beside its choices.
RULES: tuple[Rule, ...] = (
    # Sizes under a name.
    Rule(
        {"preset": "tiny"},
        {"hidden_size": 16, "latent_size": 3, "flow_layers": 2, "made_sizes": (8, 8)},
    ),
    Rule(
        {"preset": "small"},
        {"hidden_size": 128, "latent_size": 8, "flow_layers": 3, "made_sizes": (64, 64)},
    ),
    # Section E of the paper; the dropout is that of the released program.
    Rule(
        {"preset": "paper"},
        {
            "hidden_size": 500,
            "latent_size": 50,
            "flow_layers": 5,
            "made_sizes": (100, 100),
            "dropout": 0.2,
        },
    ),
    # A latent flow at the price of the baseline.
    Rule(
        {"name": "codebook"},
        {
            "scalar": "mixture:8",
            "hidden": "af",
            "time": "af",
            "inference": "codebook",
            "emitter": "codebook",
            "latent_size": 5,
            "flow_layers": 1,
        },
    ),
    # The paper's rows (tables 1 and 2) as values of independent choices. Names are never parsed.
    Rule({"name": "af-af"}, {"scalar": "nlsq", "hidden": "af", "time": "af"}),
    Rule({"name": "af-scf"}, {"scalar": "nlsq", "hidden": "scf", "time": "af"}),
    Rule({"name": "iaf-scf"}, {"scalar": "nlsq", "hidden": "scf", "time": "iaf"}),
    Rule({"name": "af-only"}, {"scalar": "nlsq", "hidden": "af", "time": "none"}),
    Rule({"name": "af-af-affine"}, {"scalar": "affine", "hidden": "af", "time": "af"}),
    Rule({"name": "af-indep"}, {"scalar": "nlsq", "hidden": "none", "time": "af"}),
    Rule({"name": "af-indep-affine"}, {"scalar": "affine", "hidden": "none", "time": "af"}),
    # A flow whose samples and densities are both parallel in time.
    Rule(
        {"name": "multiscale"},
        {
            "scalar": "mixture:8",
            "hidden": "af",
            "time": "multiscale",
            "inference": "conv:2",
            "emitter": "conv:2",
            "latent_size": 5,
            "flow_layers": 1,
        },
    ),
    # The same, with a codebook. A step that a scale maps reads the nearest kept steps.
    Rule(
        {"name": "multiscale-codebook"},
        {
            "scalar": "mixture:8",
            "hidden": "af",
            "time": "multiscale",
            "inference": "codebook",
            "emitter": "codebook",
            "conditioner": "window:6",
            "time_layers": 4,
            "latent_size": 8,
            "flow_layers": 1,
        },
    ),
    # A codebook of notes has a dimension for each of them.
    Rule(
        {"name": _CODEBOOKS, "emission": NOTES},
        {"scalar": "mixture:4", "latent_size": 88, "made_sizes": (128, 128)},
    ),
    # The paper's best row, with chords whose notes depend on each other.
    Rule({"name": "chords"}, {"scalar": "nlsq", "hidden": "af", "time": "af", "emission": "made"}),
    # The discrete autoregressive baseline of the paper has no choices.
    Rule(
        {"name": "lstm"},
        dict.fromkeys(("scalar", "hidden", "time", "inference", "emitter", "conditioner")),
    ),
    # What is observed. Text has no number of symbols of its own: the corpus decides.
    Rule({"emission": NOTES}, {"vocab_size": 88}),  # The keys of a piano.
    # Without dropout, a model memorises a few hundred pieces in twenty epochs.
    Rule(
        {"preset": "small", "emission": NOTES},
        {"dropout": 0.5, "posterior_dropout": 0.2, "emitter_dropout": 0.5},
    ),
    # Without dropout it overfits 200,000 characters within twenty epochs.
    Rule({"preset": "small", "name": "codebook", "emission": "categorical"}, {"dropout": 0.2}),
    Rule(
        {"preset": "small", "name": "multiscale-codebook", "emission": "categorical"},
        {"dropout": 0.4},
    ),
    Rule(
        {"preset": ("small", "paper"), "name": "multiscale-codebook", "emission": "categorical"},
        {"made_sizes": (256, 256)},
    ),
    # What a row has at the published sizes alone; sources as above.
    Rule({"preset": "paper", "name": "lstm"}, {"dropout": 0.1}),
    Rule({"preset": "paper", "name": "iaf-scf", "emission": "categorical"}, {"flow_layers": 3}),
    # What a choice cannot have: the density of IAF is computed step by step, without dropout on the
    # prior's LSTM, and the baseline has neither an inference network nor an emitter that reads z.
    Rule({"time": "iaf"}, {"dropout": 0.0}),
    Rule({"scalar": None}, {"posterior_dropout": 0.0, "emitter_dropout": 0.0}),
    # Where there are no states, none are dropped; a flow without a past has nothing that reads it.
    Rule({"inference": WITHOUT_STATES}, {"posterior_dropout": 0.0}),
    Rule({"emitter": WITHOUT_STATES}, {"emitter_dropout": 0.0}),
    Rule({"time": "none"}, {"conditioner": None}),
    # A coupling reads steps on both sides, which the LSTM cannot, and maps a part of the steps.
    Rule({"time": COUPLING_TIME_STRUCTURES, "conditioner": "lstm"}, {"conditioner": "conv:3"}),
    Rule({"time": COUPLING_TIME_STRUCTURES, "time_layers": 1}, {"time_layers": 6}),
    # Where its flow maps the latents themselves, it can read which symbols they stand for.
    Rule({"name": "codebook", "inference": "codebook", "time": "af", "time_layers": 1}, _SYMBOLS),
    Rule({"name": _CODEBOOKS, "inference": "codebook", "time": "multiscale"}, _SYMBOLS),
)


def _alone(name: str) -> tuple[str, ...]:
    """The values for which a rule tests nothing else."""
    return tuple(rule.when[name] for rule in RULES if list(rule.when) == [name])


#: The rows: names of combinations of choices; see docs/MODELS.md.
MODEL_NAMES = _alone("name")
#: Names of sizes: `tiny` for tests, `small` for CPUs, `paper` as published.
PRESETS = _alone("preset")
