"""Runs a signature of a SavedModel by TensorFlow's C API alone, in a process without its Python.

    python tests/c_runtime.py LIBRARIES FOLDER < request.json

`request.json` is a list of requests: `inputs`, `[tensor name, dtype, values]` each, and `outputs`,
tensor names. Strings are hexadecimal. XLA is switched off, as TF Serving does. The answer is JSON:
`answers`, a list of values for each output or the message of an error, whether XLA could be
switched off, and the modules that were imported.
"""

from __future__ import annotations

import ctypes
import json
import sys
from ctypes import byref, c_char_p, c_int, c_int64, c_size_t, c_void_p
from pathlib import Path

_DTYPES = {1: ctypes.c_float, 3: ctypes.c_int32, 9: ctypes.c_int64}
_NAMES = {"float32": 1, "int32": 3, "string": 7, "int64": 9}
_STRING, _CELL = 7, 24


class _Output(ctypes.Structure):
    _fields_ = [("operation", c_void_p), ("index", c_int)]


class Runtime:
    def __init__(self, libraries: Path) -> None:
        ctypes.CDLL(str(libraries / "libtensorflow_framework.so.2"), ctypes.RTLD_GLOBAL)
        self.lib = ctypes.CDLL(str(libraries / "libtensorflow_cc.so.2"), ctypes.RTLD_GLOBAL)
        self.xla_off = hasattr(self.lib, "_ZN10tensorflow21DisableXlaCompilationEv")
        if self.xla_off:
            self.lib._ZN10tensorflow21DisableXlaCompilationEv()
        pointers = (
            "TF_NewStatus TF_NewGraph TF_NewSessionOptions TF_LoadSessionFromSavedModel "
            "TF_GraphOperationByName TF_AllocateTensor TF_TensorData TF_StringGetDataPointer"
        )
        for name in pointers.split():
            getattr(self.lib, name).restype = c_void_p
        self.lib.TF_Message.restype = c_char_p
        self.lib.TF_Dim.restype = c_int64
        self.lib.TF_StringGetSize.restype = c_size_t
        self.status = c_void_p(self.lib.TF_NewStatus())
        self.graph = c_void_p(self.lib.TF_NewGraph())

    def check(self) -> None:
        if self.lib.TF_GetCode(self.status):
            raise RuntimeError(self.lib.TF_Message(self.status).decode())

    def load(self, folder: str) -> None:
        options = c_void_p(self.lib.TF_NewSessionOptions())
        tags = (c_char_p * 1)(b"serve")
        session = self.lib.TF_LoadSessionFromSavedModel(
            options, None, folder.encode(), tags, 1, self.graph, None, self.status
        )
        self.check()
        self.session = c_void_p(session)

    def place(self, name: str) -> _Output:
        operation, index = name.split(":")
        found = self.lib.TF_GraphOperationByName(self.graph, operation.encode())
        if not found:
            raise RuntimeError(f"no operation {operation}")
        return _Output(found, int(index))

    def tensor(self, dtype: str, values: list) -> c_void_p:
        code, dims = _NAMES[dtype], (c_int64 * 1)(len(values))
        size = _CELL if code == _STRING else ctypes.sizeof(_DTYPES[code])
        tensor = c_void_p(self.lib.TF_AllocateTensor(code, dims, 1, c_size_t(size * len(values))))
        data = self.lib.TF_TensorData(tensor)
        if code != _STRING:
            (_DTYPES[code] * len(values)).from_address(data)[:] = values
            return tensor
        for k, value in enumerate(values):
            cell, raw = c_void_p(data + _CELL * k), bytes.fromhex(value)
            self.lib.TF_StringInit(cell)
            self.lib.TF_StringCopy(cell, c_char_p(raw), c_size_t(len(raw)))
        return tensor

    def values(self, tensor: c_void_p) -> list:
        code, size = self.lib.TF_TensorType(tensor), self.lib.TF_Dim(tensor, 0)
        if not size:
            return []
        data = self.lib.TF_TensorData(tensor)
        if code != _STRING:
            return list((_DTYPES[code] * size).from_address(data))
        cells = [c_void_p(data + _CELL * k) for k in range(size)]
        return [
            ctypes.string_at(
                self.lib.TF_StringGetDataPointer(cell), self.lib.TF_StringGetSize(cell)
            ).hex()
            for cell in cells
        ]

    def run(self, inputs: list, outputs: list) -> list:
        feeds = (_Output * len(inputs))(*(self.place(name) for name, _, _ in inputs))
        fed = (c_void_p * len(inputs))(*(self.tensor(*rest) for _, *rest in inputs))
        places = (_Output * len(outputs))(*(self.place(name) for name in outputs))
        given = (c_void_p * len(outputs))()
        self.lib.TF_SessionRun(
            self.session,
            None,
            byref(feeds),
            byref(fed),
            len(inputs),
            byref(places),
            byref(given),
            len(outputs),
            None,
            0,
            None,
            self.status,
        )
        self.check()
        return [self.values(c_void_p(tensor)) for tensor in given]

    def answer(self, inputs: list, outputs: list) -> list | str:
        try:
            return self.run(inputs, outputs)
        except RuntimeError as error:
            return str(error)


if __name__ == "__main__":
    runtime = Runtime(Path(sys.argv[1]))
    runtime.load(sys.argv[2])
    answers = [runtime.answer(**request) for request in json.load(sys.stdin)]
    found = {"answers": answers, "xla_off": runtime.xla_off, "modules": list(sys.modules)}
    print(json.dumps(found))
