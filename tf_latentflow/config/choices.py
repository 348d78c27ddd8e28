"""The tables of a model's choices, apart from the bijectors': what their names stand for."""

from __future__ import annotations

from bijectors.tables import Numbered, Table

__all__ = [
    "CONDITIONERS",
    "CONDITIONER_INPUTS",
    "EMISSIONS",
    "EMITTERS",
    "INFERENCE_NETWORKS",
    "TWO_SIDED_CONDITIONERS",
    "WITHOUT_STATES",
]

# From x to q(z | x, T): a subclass of `tf_latentflow.networks.inference.InferenceNetwork`.
INFERENCE_NETWORKS = Table(
    {
        "bilstm": "tf_latentflow.networks.inference:BiLSTMInference",
        "conv": Numbered("tf_latentflow.networks.inference:conv_inference", most=12),
        "local": "tf_latentflow.networks.inference:LocalInference",
        "codebook": "tf_latentflow.networks.inference:CodebookInference",
    }
)

# From z to p(x[t] | z, T): a subclass of `tf_latentflow.networks.emitters.Emitter`.
EMITTERS = Table(
    {
        "bilstm": "tf_latentflow.networks.emitters:BiLSTMEmitter",
        "conv": Numbered("tf_latentflow.networks.emitters:conv_emitter", most=12),
        "local": "tf_latentflow.networks.emitters:LocalEmitter",
        "codebook": "tf_latentflow.networks.emitters:CodebookEmitter",
    }
)

# Inference networks and emitters without states, which therefore have no dropout.
WITHOUT_STATES = ("codebook",)

# What summarises other steps for the prior: a `tf_latentflow.prior.conditioners.NetworkMaker`.
CONDITIONERS = Table(
    {
        "lstm": "tf_latentflow.prior.conditioners:lstm",
        "conv": Numbered("tf_latentflow.prior.conditioners:conv", most=12),
        "attention": Numbered("tf_latentflow.prior.conditioners:attention", most=100),
        "window": Numbered("tf_latentflow.prior.conditioners:window", most=100),
    }
)

# What the conditioner reads of a step: makes a `tf_latentflow.prior.readers.Reader`.
CONDITIONER_INPUTS = Table(
    {
        "latents": "tf_latentflow.prior.readers:latents",
        "symbols": "tf_latentflow.prior.readers:symbols",
    }
)

# Those that may read later steps as well, as a coupling across steps asks for.
TWO_SIDED_CONDITIONERS = ("conv", "attention", "window")

# What is observed at a step: a subclass of `tf_latentflow.emissions.symbols.Symbols`.
EMISSIONS = Table(
    {
        "categorical": "tf_latentflow.emissions.categorical:CategoricalSymbols",
        "bernoulli": "tf_latentflow.emissions.notes:BernoulliNotes",
        "made": "tf_latentflow.emissions.made_notes:MADENotes",
    }
)
