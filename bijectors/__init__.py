"""Bijectors of latent sequence flows, usable with TensorFlow Probability alone.

Names are imported on first use, so `bijectors.tables` can be imported without TensorFlow.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "base": ["FlowBijector", "forward_and_log_det", "inverse_and_log_det"],
        "compose": ["Compose", "Reverse", "with_reversals"],
        "execution": ["Execution", "ExecutionOwner"],
        "hidden.base": ["HiddenBijector"],
        "hidden.entries": ["HiddenStructure"],
        "hidden.made": ["ConditionalMADE"],
        "hidden.mlp": ["ConditionalMLP"],
        "hidden.structures": [
            "AutoregressiveHidden",
            "FixedPointHidden",
            "IndependentHidden",
            "SplitCouplingHidden",
        ],
        "loops": ["Structure", "scan"],
        "root_finder": ["find_root"],
        "scalar.affine": ["Affine"],
        "scalar.maps": ["ScalarMap"],
        "scalar.mixture": ["MixtureOfLogistics"],
        "scalar.nlsq": ["NLSq"],
        "scalar.spline": ["rational_quadratic_spline"],
        "tables": ["HIDDEN_STRUCTURES", "SCALAR_MAPS", "TIME_STRUCTURES"],
        "time.adjoint": ["AdjointInverseAutoregressiveTime"],
        "time.base": ["TimeBijector"],
        "time.conditioner": ["Conditioner", "CouplingConditioner"],
        "time.coupling": ["CouplingTime"],
        "time.structures": [
            "AutoregressiveTime",
            "IndependentTime",
            "InverseAutoregressiveTime",
        ],
    },
)
