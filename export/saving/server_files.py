"""Files to start a server with: its models, its batching, and a container; and a web page."""

from __future__ import annotations

from pathlib import Path

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from export.page.document import page_for
from export.versions import version_folders
from train.support.files import write_bytes, write_text

__all__ = ["IMAGE", "write_server_files"]

IMAGE = "tensorflow/serving:2.20.0"

# The folder of all models inside the container.
_MODELS = "/models"

_BATCHING = """\
max_batch_size { value: 32 }
batch_timeout_micros { value: 2000 }
max_enqueued_batches { value: 64 }
num_batch_threads { value: 2 }
allowed_batch_sizes: 1
allowed_batch_sizes: 2
allowed_batch_sizes: 4
allowed_batch_sizes: 8
allowed_batch_sizes: 16
allowed_batch_sizes: 32
"""

# The image has no curl, but bash can open connections itself.
_COMPOSE = """\
# docker compose up --wait
services:
  serving:
    image: {image}
    command:
      - --model_config_file={models}/models.config
      - --enable_batching=true
      - --batching_parameters_file={models}/batching.config
      # - --rest_api_enable_cors_support=true  # For {name}.html in a browser.
{flags}    ports:
      - "127.0.0.1:8501:8501"  # REST
      - "127.0.0.1:8500:8500"  # gRPC
    volumes:
      - ./:{models}:ro
    healthcheck:
      test:
        - CMD
        - bash
        - -c
        - >-
          exec 3<>/dev/tcp/127.0.0.1/8501
          && printf 'GET /v1/models/{name} HTTP/1.0\\r\\n\\r\\n' >&3
          && grep -q AVAILABLE <&3
      interval: 10s
      timeout: 5s
      retries: 3
      start_period: 120s
"""

_XLA_FLAG = "      - --xla_cpu_compilation_enabled=true\n"


def write_server_files(out: Path, name: str, xla: bool) -> list[Path]:
    """Writes `models.config`, `batching.config`, `docker-compose.yml` and `NAME.html`.

    They are next to the models. The first lists every model in the folder. It and the web page are
    always rewritten. The others are only written if they do not exist, because the user may have
    edited them.

    Args:
      out: Folder of the models' folders.
      name: Model used by the health check.
      xla: Whether the server compiles functions.

    Returns:
      The files that were not overwritten although they differ.
    """
    write_text(out / "models.config", _models_config(out))
    write_bytes(out / f"{name}.html", page_for(f"http://127.0.0.1:8501/v1/models/{name}").html)
    compose = _COMPOSE.format(
        image=IMAGE, models=_MODELS, name=name, flags=_XLA_FLAG if xla else ""
    )
    kept = []
    for file, content in (("batching.config", _BATCHING), ("docker-compose.yml", compose)):
        path = out / file
        if not path.exists():
            write_text(path, content)
        elif path.read_bytes() != content.encode():
            kept.append(path)
    return kept


def _models_config(out: Path) -> str:
    config = model_server_config_pb2.ModelServerConfig()
    for path in sorted(p for p in out.iterdir() if version_folders(p)):
        config.model_config_list.config.add(
            name=path.name, base_path=f"{_MODELS}/{path.name}", model_platform="tensorflow"
        )
    return text_format.MessageToString(config)
