"""A local server with the protocol of TF Serving, for trying requests without Docker.

It implements the REST and gRPC interfaces of TF Serving and is not meant for production. The
program is `export.serve`; it needs the extra `serving`.
"""

__all__: list[str] = []
