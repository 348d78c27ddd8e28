"""Another backend of Keras is refused in one line."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.paths import ROOT


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    # A program that a test has run in this process has set its own.
    inherited = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**inherited, **environment},
        check=False,
    )


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_the_library_raises(backend: str) -> None:
    done = run("-c", "import tf_latentflow", KERAS_BACKEND=backend)
    assert done.stderr.splitlines()[-1].startswith("ImportError: tf_latentflow needs Keras with")


@pytest.mark.parametrize("program", ["train.char_lm", "train.sample", "export.client"])
def test_a_program_ends_with_one_line(program: str) -> None:
    done = run("-m", program, KERAS_BACKEND="jax")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: this needs Keras") and done.stderr.count("\n") == 1


@pytest.mark.nightly
def test_the_settings_file_of_keras_is_no_way_around(tmp_path) -> None:
    (tmp_path / "keras.json").write_text('{"backend": "jax"}')
    code = "from tf_latentflow import build_model"
    done = run("-c", code, KERAS_HOME=str(tmp_path))
    assert done.stderr.splitlines()[-1].startswith("ImportError: tf_latentflow needs Keras with")
