"""An export in other runtimes than this one."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.export.kinds import KINDS, nightly
from tests.exported import Served, export_tiny, requests
from tests.paths import ROOT

_LIBRARIES = Path(find_spec("tensorflow").origin).parent


@pytest.mark.nightly
def test_compiled_generation_draws_the_same_texts(served, tmp_path):
    name, overrides = KINDS["codebook"]
    compiled = Served(export_tiny(tmp_path / "compiled", name, xla=True, **overrides))
    asked = requests(5)
    drawn = compiled("generate", **asked)
    assert drawn["text"].tolist() == served("codebook")("generate", **asked)["text"].tolist()
    assert compiled("generate", length=[], seed=[], temperature=[])["text"].shape == (0,)


def _in_c_runtime(folder, requests):
    """What TensorFlow's C API answers, without its Python; an error as its message."""
    asked = [
        {
            "inputs": [
                (info.name, tf.as_dtype(info.dtype).name, inputs[key])
                for key, info in definition.inputs.items()
            ],
            "outputs": [info.name for info in definition.outputs.values()],
        }
        for definition, inputs in requests
    ]
    done = subprocess.run(
        [sys.executable, ROOT / "tests/c_runtime.py", _LIBRARIES, folder],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert "tensorflow" not in found["modules"]
    return [
        answer if isinstance(answer, str) else dict(zip(definition.outputs, answer, strict=True))
        for (definition, _), answer in zip(requests, found["answers"], strict=True)
    ]


@pytest.mark.skipif(
    not (_LIBRARIES / "libtensorflow_cc.so.2").exists(), reason="this TensorFlow has no C library"
)
@pytest.mark.parametrize("kind", ["codebook", nightly("codebook-row")])
def test_it_runs_in_the_c_runtime_without_xla_also_after_a_move(served, folders, tmp_path, kind):
    model = served(kind)
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for path in folders(kind).rglob("*"):
        target = moved / path.relative_to(folders(kind))
        target.mkdir() if path.is_dir() else target.write_bytes(path.read_bytes())
    asked = {"length": [12, 5, 0], "seed": [1, -2, 3], "temperature": [1.0, 0.5, 1.0]}
    expected = model("generate", **asked)
    scored = model("score", text=expected["text"])
    generate, score = (model.signatures[name] for name in ("generate", "score"))
    drawn, found, refused = _in_c_runtime(
        moved,
        [
            (generate, asked),
            (score, {"text": [text.hex() for text in expected["text"]]}),
            (generate, {**asked, "seed": [1, 2]}),
        ],
    )
    assert [bytes.fromhex(text) for text in drawn["text"]] == expected["text"].tolist()
    assert drawn["num_steps"] == [12, 5, 0]
    np.testing.assert_allclose(found["log_likelihood"], scored["log_likelihood"], rtol=1e-5)
    assert "length 3, seed 2, temperature 3" in refused


@pytest.mark.nightly
def test_saved_model_cli_runs_it(folders):
    command = Path(sys.executable).with_name("saved_model_cli")
    if not command.exists():
        pytest.skip("saved_model_cli is not installed")
    asked = "length=[7];seed=[1];temperature=[1.0]"
    done = subprocess.run(
        [command, "run", "--dir", folders("codebook"), "--tag_set", "serve"]
        + ["--signature_def", "generate", "--input_exprs", asked],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "num_steps:\n[7]" in done.stdout
