"""One version of a SavedModel with its signatures, loaded as in TF Serving."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from export.serving.status import invalid
from export.versions import newest_version
from train.support.errors import UserError

__all__ = ["DEFAULT_SIGNATURE", "Servable", "load_newest"]

DEFAULT_SIGNATURE = "serving_default"
_METHOD = "tensorflow/serving/predict"
_ENDLESS = 1e6  # A longer deadline counts as none; gRPC uses one in the year 2262 for none [s].


class Servable:
    """A loaded model: a session, its signatures, a name and a version.

    Args:
      name: Name of the model in requests.
      version: Its version.
      path: Folder of the SavedModel.
      optimise: Whether TensorFlow optimises the graph of a signature at its first request. Without,
        that request takes half the time and later ones take longer: right for a check.

    Raises:
      UserError: It cannot be loaded.
    """

    def __init__(self, name: str, version: int, path: Path, optimise: bool = True) -> None:
        self.name, self.version, self.path = name, version, path
        self._is_closed = False
        graph = tf.Graph()
        config = tf.compat.v1.ConfigProto()
        config.graph_options.rewrite_options.disable_meta_optimizer = not optimise
        self._session = tf.compat.v1.Session(graph=graph, config=config)
        try:
            with graph.as_default():
                meta_graph = tf.compat.v1.saved_model.load(self._session, ["serve"], str(path))
        except (OSError, RuntimeError, ValueError, tf.errors.OpError) as error:
            self._session.close()
            raise UserError(
                f"cannot load {str(path)!r}: {error}; export the model again"
            ) from error
        graph.finalize()
        self.signatures = dict(meta_graph.signature_def)

    def close(self) -> None:
        """Closes the model. Running requests end with UNAVAILABLE."""
        self._is_closed = True
        self._session.close()

    def check(self, name: str, version: int | None = None, label: str = "") -> None:
        """Checks that a request is for this model; without a version, it is for the newest.

        Raises:
          tf.errors.OpError: INVALID_ARGUMENT or NOT_FOUND if it is not.
        """
        if not name:
            raise invalid("ModelSpec has no name specified.")
        if label:
            raise invalid(f"Unrecognized servable version label: {label}")
        if name != self.name or version not in (None, self.version):
            which = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise tf.errors.NotFoundError(None, None, f"Servable not found for request: {which}")

    def predict(
        self,
        signature_name: str,
        inputs: Mapping[str, np.ndarray],
        timeout: float | None = None,
        output_filter: Collection[str] = (),
    ) -> dict[str, np.ndarray]:
        """Runs a signature.

        Args:
          signature_name: Name of the signature; empty for the default one.
          inputs: Arrays by the signature's names; strings are `bytes` in an array of objects.
          timeout: Time limit [s], or None.
          output_filter: Names of the outputs to compute; empty for all.

        Returns:
          The outputs by name.

        Raises:
          tf.errors.OpError: FAILED_PRECONDITION if there is no such signature, INVALID_ARGUMENT if
            names, types or shapes are wrong or the inputs have different lengths,
            DEADLINE_EXCEEDED, or an error of the graph.
        """
        signature_name = signature_name or DEFAULT_SIGNATURE
        signature = self.signatures.get(signature_name)
        if signature is None:
            raise tf.errors.FailedPreconditionError(
                None, None, f'Serving signature key "{signature_name}" not found.'
            )
        if signature.method_name != _METHOD:
            raise tf.errors.InternalError(
                None, None, f"Expected method_name {_METHOD}. Was: {signature.method_name}"
            )
        if inputs.keys() != signature.inputs.keys():
            raise invalid(
                f"input does not match signature: sent {sorted(inputs)}, "
                f"expected {sorted(signature.inputs)}"
            )
        for name, info in signature.inputs.items():
            _check_tensor(name, inputs[name], info)
        _check_lengths(signature.inputs, inputs)
        if len(set(output_filter)) < len(output_filter):
            raise invalid(f"duplicate output tensor alias: {sorted(output_filter)}")
        if not signature.outputs.keys() >= set(output_filter):
            raise invalid(
                f"output tensor alias not found in signature: {sorted(output_filter)}; "
                f"it has {sorted(signature.outputs)}"
            )
        options = None
        if timeout is not None and timeout < _ENDLESS:
            if timeout <= 0:
                raise tf.errors.DeadlineExceededError(None, None, "Timed out before it began")
            # A timeout of 0 ms would mean no limit.
            options = tf.compat.v1.RunOptions(timeout_in_ms=max(1, round(timeout * 1000)))
        try:
            outputs = self._session.run(
                {name: signature.outputs[name].name for name in output_filter or signature.outputs},
                {signature.inputs[name].name: value for name, value in inputs.items()},
                options=options,
            )
        except (RuntimeError, tf.errors.CancelledError):
            if not self._is_closed:
                raise
            raise tf.errors.UnavailableError(None, None, "The server is stopping") from None
        return {name: np.asarray(value) for name, value in sorted(outputs.items())}


def load_newest(base_path: Path) -> Servable:
    """Returns the newest version in `base_path`, a folder with the name of the model.

    Raises:
      UserError: There is no version, or it cannot be loaded.
    """
    version, folder = newest_version(base_path)
    return Servable(base_path.resolve().name, version, folder)


def _check_tensor(name: str, value: np.ndarray, info: tf.compat.v1.saved_model.TensorInfo) -> None:
    """Checks the type and the shape of an input before the session does."""
    expected = tf.as_dtype(info.dtype)
    if value.dtype != expected.as_numpy_dtype:
        raise invalid(f"input {name} expects {expected.name}; got {value.dtype}")
    shape = tf.TensorShape(info.tensor_shape)
    if not shape.is_compatible_with(value.shape):
        raise invalid(f"input {name} expects shape {shape}; got {value.shape}")


def _check_lengths(
    infos: Mapping[str, tf.compat.v1.saved_model.TensorInfo], inputs: Mapping[str, np.ndarray]
) -> None:
    """Checks that all inputs have the same number of rows, as an exported graph does too."""
    rows = {
        name: len(inputs[name])
        for name, info in sorted(infos.items())
        if info.tensor_shape.dim and info.tensor_shape.dim[0].size == -1
    }
    if len(set(rows.values())) > 1:
        said = ", ".join(f"{name} {size}" for name, size in rows.items())
        raise invalid(f"inputs of unequal length: {said}; expected one value per row in each")
