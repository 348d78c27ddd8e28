"""The environment in which the programs import TensorFlow."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT
from train.support.startup import import_tensorflow_quietly


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (None, "--xla_cpu_use_fusion_emitters=false"),
        ("--xla_dump_to=a", "--xla_dump_to=a --xla_cpu_use_fusion_emitters=false"),
        ("--xla_cpu_use_fusion_emitters=true", "--xla_cpu_use_fusion_emitters=true"),
    ],
)
def test_flags_of_the_user_are_kept(
    monkeypatch: pytest.MonkeyPatch, flags: str | None, expected: str
) -> None:
    monkeypatch.setenv("XLA_FLAGS", flags or "")
    if flags is None:
        monkeypatch.delenv("XLA_FLAGS")
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")  # So that nothing is imported here.
    import_tensorflow_quietly()
    assert os.environ["XLA_FLAGS"] == expected


@pytest.mark.parametrize(
    ("raised", "status", "shown"),
    [("KeyboardInterrupt", 130, "\ninterrupted\n"), ("ImportError('no')", 1, "a line of a log")],
)
def test_the_log_of_an_import_is_shown_after_an_error_only(
    tmp_path: Path, raised: str, status: int, shown: str
) -> None:
    done = _imported(tmp_path, f"raise {raised}")
    assert done.returncode == status
    assert done.stderr == shown if status == 130 else shown in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_an_import_and_raises_nothing_in_it(tmp_path: Path, number: int) -> None:
    done = _imported(
        tmp_path,
        f"try:\n    import signal; signal.raise_signal({number:d})\nexcept BaseException:\n"
        "    os.abort()  # As C++ does.\n",
    )
    assert done.returncode == 128 + number
    assert done.stderr == "\ninterrupted\n"


@pytest.mark.parametrize("program", ["train.char_lm", "train.benchmark", "export.serve"])
def test_ctrl_c_during_the_first_imports_shows_no_traceback(tmp_path: Path, program: str) -> None:
    (tmp_path / "tyro.py").write_text("import signal; signal.raise_signal(signal.SIGINT)")
    done = subprocess.run(
        [sys.executable, "-m", program],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        check=False,
    )
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")


def _imported(tmp_path: Path, what: str) -> subprocess.CompletedProcess[str]:
    """Imports a library that writes a line of a log and then does something."""
    library = f"import os\nos.write(2, b'a line of a log\\n')\n{what}\n"
    (tmp_path / "tensorflow_probability.py").write_text(library, encoding="utf-8")
    program = (
        "from train.support.errors import run_program\n"
        "from train.support.startup import import_tensorflow_quietly\n"
        "run_program(import_tensorflow_quietly)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "TF_CPP_MIN_LOG_LEVEL": "3"},
        check=False,
    )
