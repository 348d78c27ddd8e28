"""The local endpoint: TF Serving's protocol around a SavedModel, to try requests without a server.

It is a stand-in for TF Serving's REST and gRPC interfaces and not for production. `export.serve` is
the program; it needs the packages of the extra `[serving]`.
"""

__all__: list[str] = []
