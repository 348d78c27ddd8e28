from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from export.saving import export
from export.saving.graph_checks import check_graph, graph_problems
from export.saving.options import ExportOptions
from train.support.errors import UserError


@tf.function(jit_compile=True)
def _compiled(x):
    return x * 2


def _in_loop(x):
    return tf.while_loop(lambda i: i[0] < 3, lambda i: [i + tf.random.normal([1])], [x[:1]])[0]


# What a graph must not hold, and what is said of it.
_BAD = {
    "python": (lambda x: tf.py_function(lambda y: y, [x], tf.float32), "calls Python"),
    "numpy": (lambda x: tf.numpy_function(lambda y: y, [x], tf.float32), "calls Python"),
    "compiled": (_compiled, "must be compiled"),
    "random": (lambda x: x + tf.random.normal([1]), "RandomStandardNormal has a state"),
    "random in a loop": (_in_loop, "RandomStandardNormal has a state"),
    "print": (lambda x: tf.raw_ops.Print(input=x, data=[x]), "Print has a state"),
}


def _save(folder, function):
    module = tf.Module()
    spec = tf.TensorSpec([None], tf.float32, name="x")
    traced = tf.function(lambda x: {"y": function(x)}, input_signature=[spec])
    signature = traced.get_concrete_function()
    tf.saved_model.save(module, str(folder), {"serving_default": signature})
    return folder


@pytest.mark.parametrize("name", _BAD)
def test_what_no_server_runs_alike_is_refused(tmp_path, name):
    function, message = _BAD[name]
    with pytest.raises(UserError, match=message):
        check_graph(_save(tmp_path / "model", function))


def test_a_plain_graph_is_fine_and_a_compiled_one_where_it_is_wanted(tmp_path):
    check_graph(_save(tmp_path / "plain", tf.nn.relu))
    check_graph(_save(tmp_path / "compiled", _compiled), xla=True)


def test_other_operations_devices_and_kernels():
    message = saved_model_pb2.SavedModel()
    nodes = message.meta_graphs.add().graph_def.node
    nodes.add(name="a", op="RegexSplitWithOffsets")  # Of tf.text.
    nodes.add(name="b", op="CudnnRNNV3")
    nodes.add(name="c", op="Relu", device="/device:GPU:0")
    nodes.add(name="d", op="Relu", device="/device:CPU:0")
    problems = graph_problems(message)
    assert problems == [
        "RegexSplitWithOffsets is not an operation of TensorFlow's core (a in the graph)",
        "CudnnRNNV3 runs on GPUs only (b in the graph)",
        "Relu is bound to /device:GPU:0 (c in the graph)",
    ]


class _CallsPython(tf.Module):
    """An endpoint that only this process could run."""

    def __init__(self, *_: object) -> None:
        super().__init__()

    def signatures(self, show: object) -> dict[str, object]:
        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
        def run(x: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"y": tf.numpy_function(np.abs, [x], tf.float32)}

        return {"serving_default": run.get_concrete_function()}


def test_what_no_server_could_run_is_not_exported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(export, "Endpoint", _CallsPython)
    config = SimpleNamespace(is_text=False, vocab_size=11, latent_size=2)
    with pytest.raises(UserError, match="cannot be exported: .*PyFunc calls Python"):
        export.export_model(SimpleNamespace(config=config), tmp_path / "m", 1, ExportOptions(4))
    assert not (tmp_path / "m" / "1").exists()
