"""The scales at which the paper is reproduced: a preset, and flags that differ from it."""

from __future__ import annotations

from collections.abc import Mapping

from tf_latentflow import ModelConfig
from train.paper.experiments import Run

__all__ = ["SCALES", "flags_of"]

# The preset of each scale. A run at `cpu` takes minutes to an hour.
SCALES: Mapping[str, str] = {"tiny": "tiny", "cpu": "small", "paper": "paper"}

_LONG_PIECES = (
    *("--max-steps", "300", "--kl-zero", "30", "--kl-ramp", "90"),
    *("--eval-every", "30", "--checkpoint-steps", "30", "--test-samples", "4"),
)

_JOINT_NOTES = ("--max-steps", "2400", "--eval-every", "200", "--test-samples", "4")

# Flags that some runs need in addition to their preset, with the reason. The last part of a key is
# the name of a run, or else its model, or else `flow` or `lstm`.
_SCALE_FLAGS: Mapping[tuple[str, str, str], tuple[str, ...]] = {
    # About 20 minutes on one CPU core each, with the same number of steps. 50 importance samples
    # would take half as long again.
    ("cpu", "ptb", "flow"): (
        *("--max-steps", "2500", "--kl-zero", "120", "--kl-ramp", "600"),
        *("--eval-every", "250", "--checkpoint-steps", "250", "--test-samples", "10"),
    ),
    # A MADE is at least as wide as a latent vector: the widest of the ablation has 16 dimensions.
    ("tiny", "ptb", "codebook"): ("--made-units", "16"),
    # With many sentences: no dropout, and half the learning rate, which falls for longer. Half a
    # batch: the ablation has twenty rows.
    ("cpu", "ptb", "codebook"): (
        *("--max-steps", "2500", "--batch-size", "16", "--dropout", "0", "--learning-rate", "5e-3"),
        *("--final-decay", "0.5", "--kl-zero", "0", "--kl-ramp", "100"),
        *("--eval-every", "250", "--checkpoint-steps", "250", "--test-samples", "10"),
    ),
    # As many sentences as those of the paper's rows, in smaller batches.
    ("cpu", "ptb", "multiscale"): (
        *("--max-steps", "10000", "--batch-size", "8", "--dropout", "0", "--learning-rate", "3e-3"),
        *("--final-decay", "0.5", "--kl-zero", "0", "--kl-ramp", "200"),
        *("--eval-every", "1000", "--checkpoint-steps", "500", "--test-samples", "10"),
    ),
    # As much time as `iaf-scf` takes.
    ("cpu", "ptb", "multiscale-codebook"): (
        *("--max-steps", "21000", "--batch-size", "8", "--dropout", "0.1"),
        *("--learning-rate", "4e-3", "--final-decay", "0.6", "--kl-zero", "0", "--kl-ramp", "200"),
        *("--eval-every", "1000", "--checkpoint-steps", "500", "--test-samples", "10"),
    ),
    ("cpu", "ptb", "lstm"): (
        *("--max-steps", "2500", "--eval-every", "250", "--checkpoint-steps", "250"),
        *("--test-samples", "10"),
    ),
    # With only 229 pieces and the published dropout, 0.2 on the prior alone, the bound of the
    # training split is 1.5 nats below that of the validation split.
    ("paper", "jsb", "flow"): (
        *("--posterior-dropout", "0.2", "--emitter-dropout", "0.5", "--epochs", "60"),
    ),
    ("paper", "jsb", "codebook"): ("--dropout", "0.5", "--epochs", "60"),
    ("paper", "jsb", "lstm"): ("--dropout", "0.5", "--epochs", "55"),
    # About 20 minutes on one CPU core each.
    ("cpu", "nottingham", "flow"): ("--max-steps", "2400"),
    ("cpu", "nottingham", "lstm"): ("--max-steps", "6000"),
    # About 10 minutes on one CPU core each; 4 importance samples, as published.
    ("cpu", "piano-midi", "flow"): _LONG_PIECES,
    ("cpu", "piano-midi", "lstm"): _LONG_PIECES,
    ("cpu", "musedata", "flow"): _LONG_PIECES,
    ("cpu", "musedata", "lstm"): _LONG_PIECES,
    # Notes that depend on each other: 20 minutes to an hour.
    ("cpu", "musedata", "lstm-made"): _JOINT_NOTES,
    ("cpu", "musedata", "af-af-made"): _JOINT_NOTES,
    ("cpu", "musedata", "multiscale-made"): _JOINT_NOTES,
    ("cpu", "piano-midi", "lstm-made"): (
        *("--max-steps", "1200", "--eval-every", "50", "--checkpoint-steps", "50"),
        *("--test-samples", "4"),
    ),
}


def flags_of(run: Run, scale: str) -> list[str]:
    """Returns the flags of the training program for a run at a scale.

    Raises:
      ValueError: There is no such scale.
    """
    if scale not in SCALES:
        raise ValueError(f"expected a scale of {', '.join(SCALES)}; got {scale!r}")
    family = "flow" if ModelConfig.from_name(run.model).is_flow else "lstm"
    keys = ((scale, run.dataset, name) for name in (run.name, run.model, family))
    extra = next((_SCALE_FLAGS[key] for key in keys if key in _SCALE_FLAGS), ())
    fixed = ("--model", run.model, "--dataset", run.dataset, "--preset", SCALES[scale])
    return [*fixed, *extra, *run.flags]
