"""Checks whether any server can run an exported graph."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from export.saving.graph_protos import (
    FunctionDef,
    NodeDef,
    SavedModel,
    core_op_is_stateful,
    read_saved_model,
)
from train.support.errors import UserError

__all__ = ["check_graph", "graph_problems"]

_XLA = "_XlaMustCompile"

# All stateful operations that an export may contain. Random ones are not among them: their state
# advances with every request and starts anew with every server.
_STATEFUL = frozenset(
    {
        "Assert",
        "AssignVariableOp",
        "Case",
        "DisableCopyOnRead",
        "HashTableV2",
        "If",
        "InitializeTableFromTextFileV2",
        "LookupTableFindV2",
        "MergeV2Checkpoints",
        "ReadVariableOp",
        "RestoreV2",
        "SaveV2",
        "StatefulPartitionedCall",
        "VarHandleOp",
        "VarIsInitializedOp",
        "While",
    }
)


def check_graph(folder: Path, xla: bool = False) -> None:
    """Reads the `saved_model.pb` of a folder and checks it; see `graph_problems`.

    Raises:
      UserError: A server could not run it.
    """
    problems = graph_problems(read_saved_model(folder), xla)
    if problems:
        more = f"; and {len(problems) - 1} more" if len(problems) > 1 else ""
        raise UserError(f"this model cannot be exported: {problems[0]}{more}")


def graph_problems(message: SavedModel, xla: bool = False) -> list[str]:
    """Returns what keeps a graph from running on every server, one line each.

    Problems are operations from outside TensorFlow's core, Python functions, kernels of cuDNN or
    bound to a GPU, random operations with a state and, unless `xla`, functions that must be
    compiled.
    """
    problems: dict[str, None] = {}
    functions = frozenset(function.signature.name for function in _library(message))
    for where, node in _nodes(message):
        for what in _node_problems(node, functions, xla):
            problems.setdefault(f"{what} ({node.name} in {where})")
    if not xla:
        for function in _library(message):
            if function.attr[_XLA].b:
                name = function.signature.name
                problems.setdefault(f"function {name} must be compiled, and servers have XLA off")
    return list(problems)


def _library(message: SavedModel) -> Iterator[FunctionDef]:
    for meta_graph in message.meta_graphs:
        yield from meta_graph.graph_def.library.function


def _nodes(message: SavedModel) -> Iterator[tuple[str, NodeDef]]:
    for meta_graph in message.meta_graphs:
        for node in meta_graph.graph_def.node:
            yield "the graph", node
    for function in _library(message):
        for node in function.node_def:
            yield function.signature.name, node


def _node_problems(node: NodeDef, functions: frozenset[str], xla: bool) -> Iterator[str]:
    op = node.op
    if op in functions:
        return
    stateful = core_op_is_stateful(op)
    if "PyFunc" in op:
        yield f"{op} calls Python"
    elif stateful is None:
        yield f"{op} is not an operation of TensorFlow's core"
    elif "Cudnn" in op:
        yield f"{op} runs on GPUs only"
    elif stateful and op not in _STATEFUL:
        yield f"{op} has a state of its own"
    if "GPU" in node.device.upper():
        yield f"{op} is bound to {node.device}"
    if not xla and _XLA in node.attr and node.attr[_XLA].b:
        yield f"{op} must be compiled, and servers have XLA off"
