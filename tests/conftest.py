"""What every test needs: quiet TensorFlow, few threads, and a clean numeric default."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Most of the time goes into compiling, and little into what is compiled; programs inherit it.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false "
    "--xla_cpu_parallel_codegen_split_count=1",
)

import keras
import pytest
from xdist.scheduler import LoadFileScheduling

from tests.made_once import MadeOnce

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A script that starts the tests in the background makes them, and what they start, ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Folders whose files share a dear fixture: all of them go to one process, so that none waits.
_TOGETHER = ("tests/export/saved_model", "tests/export/page")
# Graphs are many small objects that live long: to look through them for garbage again and again
# takes a tenth of the time.
gc.set_threshold(200_000, 100, 100)


@pytest.fixture
def float64() -> Iterator[None]:
    """Keras in float64 for one test."""
    before = keras.config.floatx()
    # Asked for now, because Keras keeps the policy that the process used first.
    policy = keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx(before)
    keras.config.set_dtype_policy(policy)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> MadeOnce:
    """Folders that the processes of `pytest -n` share."""
    base = tmp_path_factory.getbasetemp()
    return MadeOnce((base if worker_id == "master" else base.parent) / "made_once")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Examples in the docstrings of the libraries trace and compile models: they run at night."""
    for item in items:
        package = item.nodeid.split("/")[0]
        if isinstance(item, pytest.DoctestItem) and package in ("bijectors", "tf_latentflow"):
            item.add_marker(pytest.mark.nightly)


class _Scheduling(LoadFileScheduling):
    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return next((folder for folder in _TOGETHER if file.startswith(f"{folder}/")), file)


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> _Scheduling:
    """Gives a file, or a folder of `_TOGETHER`, to one process."""
    return _Scheduling(config, log)
