"""Bijectors of latent sequence flows, usable with TensorFlow Probability alone."""

from bijectors.adjoint_time import AdjointInverseAutoregressiveTime
from bijectors.affine import Affine
from bijectors.base import FlowBijector, forward_and_log_det, inverse_and_log_det
from bijectors.compiled import compiled_loops, loops_are_compiled
from bijectors.compose import Compose, Reverse, with_reversals
from bijectors.conditioner import Conditioner, Structure
from bijectors.fixed_point import FixedPointHidden
from bijectors.hidden import (
    HIDDEN_STRUCTURES,
    AutoregressiveHidden,
    HiddenBijector,
    HiddenStructure,
    IndependentHidden,
    SplitCouplingHidden,
)
from bijectors.made import ConditionalMADE
from bijectors.mlp import ConditionalMLP
from bijectors.nlsq import NLSq
from bijectors.product import batch_product, product, product_operand, products_in
from bijectors.scalar_maps import SCALAR_MAPS, ScalarMap, scalar_map
from bijectors.scan import scan
from bijectors.spline import rational_quadratic_spline
from bijectors.time import (
    TIME_STRUCTURES,
    AutoregressiveTime,
    IndependentTime,
    InverseAutoregressiveTime,
    TimeBijector,
)

__all__ = [
    "HIDDEN_STRUCTURES",
    "SCALAR_MAPS",
    "TIME_STRUCTURES",
    "AdjointInverseAutoregressiveTime",
    "Affine",
    "AutoregressiveHidden",
    "AutoregressiveTime",
    "Compose",
    "ConditionalMADE",
    "ConditionalMLP",
    "Conditioner",
    "FixedPointHidden",
    "FlowBijector",
    "HiddenBijector",
    "HiddenStructure",
    "IndependentHidden",
    "IndependentTime",
    "InverseAutoregressiveTime",
    "NLSq",
    "Reverse",
    "ScalarMap",
    "SplitCouplingHidden",
    "Structure",
    "TimeBijector",
    "batch_product",
    "compiled_loops",
    "forward_and_log_det",
    "inverse_and_log_det",
    "loops_are_compiled",
    "product",
    "product_operand",
    "products_in",
    "rational_quadratic_spline",
    "scalar_map",
    "scan",
    "with_reversals",
]
