"""The graph of a SavedModel: the only file that uses private parts of TensorFlow.

`tests/export/saving/test_graph_protos.py` fails if a version of TensorFlow moves them.
"""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf
from tensorflow.core.framework import function_pb2, node_def_pb2
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.framework import op_def_registry

__all__ = ["FunctionDef", "NodeDef", "SavedModel", "core_op_is_stateful", "read_saved_model"]

FunctionDef = function_pb2.FunctionDef
NodeDef = node_def_pb2.NodeDef
SavedModel = saved_model_pb2.SavedModel


def read_saved_model(folder: Path) -> SavedModel:
    """Reads the `saved_model.pb` of a folder."""
    return SavedModel.FromString((folder / "saved_model.pb").read_bytes())


def core_op_is_stateful(op: str) -> bool | None:
    """Whether an operation of TensorFlow's core has a state; None if there is no such operation."""
    definition = op_def_registry.get(op)
    if definition is None or not hasattr(tf.raw_ops, op):
        return None
    return definition.is_stateful
