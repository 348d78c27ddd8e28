"""How models are trained: settings by task, preset, model and dataset, as a list of rules."""

from __future__ import annotations

from tf_latentflow.config.rows import GIVEN, Rule

__all__ = ["RULES"]

# Rules as in `tf_latentflow.config.rows`, which says what the model is: a later one counts more. A
# model with settings of its own is one more of them. Counts of `tiny` and `small` are optimiser
# steps, those of `paper` epochs.
RULES: tuple[Rule, ...] = (
    # Seconds; for tests.
    Rule(
        {"preset": "tiny"},
        {
            "compile_loops": False,
            "max_steps": 40,
            "batch_size": 8,
            "learning_rate": 5e-3,
            "final_decay": 0.25,
            "kl_zero": 5,
            "kl_ramp": 10,
            "eval_every": 10,
            "checkpoint_steps": 10,
            "log_steps": 5,
            "valid_sequences": 32,
            "test_samples": 4,
        },
    ),
    Rule({"preset": "tiny", "task": "text"}, {"elbo_samples": 2}),
    Rule({"preset": "tiny", "task": "music"}, {"max_batch_steps": 1024}),
    # About ten minutes on two CPU cores. A KL weight of 0.05 from the start costs no
    # reconstruction, and keeps q from running away from a prior that has yet to learn: with 1e-5
    # the KL grew to 90 bits per character.
    Rule(
        {"preset": "small"},
        {
            "learning_rate": 5e-3,
            "plateau_patience": 4,
            "final_decay": 0.5,
            "kl_floor": 0.05,
            "eval_every": 100,
            "checkpoint_steps": 100,
            "log_steps": 20,
            "test_samples": 50,
        },
    ),
    Rule(
        {"preset": "small", "task": "text"},
        {
            "max_steps": 1000,
            "batch_size": 32,
            "kl_zero": 100,
            "kl_ramp": 400,
            "valid_sequences": 512,
        },
    ),
    Rule(
        {"preset": "small", "task": "music"},
        {
            "max_steps": 1200,
            "batch_size": 8,
            "max_batch_steps": 16384,
            "kl_zero": 200,
            "kl_ramp": 600,
            "valid_sequences": 0,
        },
    ),
    # As published (appendix E), and as the released program sets what the paper leaves out.
    Rule(
        {"preset": "paper"},
        {
            "schedule_unit": "epochs",
            "epochs": 100,
            "learning_rate": 1e-3,
            "final_decay": 0.0,
            "eval_every": 1,
            "valid_sequences": 0,
            "test_samples": 50,
        },
    ),
    Rule(
        {"preset": "paper", "task": "text"},
        {
            "batch_size": 15,
            "elbo_samples": 10,
            "kl_zero": 4,
            "kl_ramp": 10,
            "checkpoint_steps": 1000,
            "log_steps": 100,
        },
    ),
    Rule(
        {"preset": "paper", "task": "music"},
        {
            "batch_size": 5,
            "max_batch_steps": 16384,
            "plateau_patience": 4,
            "kl_zero": 20,
            "kl_ramp": 15,
            "checkpoint_steps": 100,
            "log_steps": 20,
        },
    ),
    Rule(
        {"preset": "paper", "task": "music", "dataset": ("piano-midi", "musedata")},
        {"batch_size": 1, "accumulation_steps": 8},
    ),
    # Tuned on the embedded corpus (docs/RESULTS.md): about four minutes on two CPU cores. Small
    # batches end 0.1 bpc below batches of 32 in less time, and a learning rate of 6e-3 0.03 above.
    Rule(
        {"preset": "small", "task": "text", "model": "codebook"},
        {
            "max_steps": 2000,
            "batch_size": 8,
            "learning_rate": 1e-2,
            "final_decay": 0.8,
            "kl_zero": 150,
            "kl_ramp": 600,
        },
    ),
    # The codebook loses nothing while the prior learns, so its KL needs no warm-up.
    Rule(
        {"preset": "small", "task": "music", "model": "codebook"},
        {"kl_zero": 0, "kl_ramp": 100},
    ),
    # Many scales learn slowly, and faster with small batches (docs/RESULTS.md). Not tuned further.
    Rule(
        {"preset": "small", "task": "text", "model": ("multiscale", "multiscale-codebook")},
        {
            "max_steps": 4000,
            "batch_size": 8,
            "learning_rate": 3e-3,
            "kl_zero": 0,
            "kl_ramp": 200,
        },
    ),
    Rule(
        {"preset": "small", "task": "text", "model": "multiscale-codebook"},
        {"learning_rate": 4e-3},
    ),
    # The baseline has no latents, and so no KL term.
    Rule({"model": "lstm"}, {"elbo_samples": 1, "kl_zero": 0, "kl_ramp": 0, "kl_floor": 1e-5}),
    Rule({"preset": "paper", "model": "lstm"}, {"optimizer": "sgd", "learning_rate": 20.0}),
    # A limit that is given lifts that of the preset, whichever unit either has.
    Rule({"epochs": GIVEN}, {"max_steps": None}),
    Rule({"max_steps": GIVEN}, {"epochs": None}),
)
