"""The private parts of TensorFlow that exports lean on are where they were."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from export.saving.graph_protos import core_op_is_stateful, read_saved_model


def test_operations_of_the_core_are_known() -> None:
    assert core_op_is_stateful("MatMul") is False
    assert core_op_is_stateful("RandomUniform") is True
    assert core_op_is_stateful("VarHandleOp") is True
    assert core_op_is_stateful("NoSuchOperation") is None


def test_a_saved_graph_is_read(tmp_path: Path) -> None:
    module = tf.Module()
    module.double = tf.function(lambda x: 2 * x, [tf.TensorSpec([], tf.float32, name="x")])
    tf.saved_model.save(module, str(tmp_path))
    (meta_graph,) = read_saved_model(tmp_path).meta_graphs
    ops = {n.op for f in meta_graph.graph_def.library.function for n in f.node_def}
    assert "Mul" in ops
