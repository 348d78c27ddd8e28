from __future__ import annotations

import json

import pytest
import tensorflow as tf
import yaml
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from export import saved_model
from export.saving.server_files import IMAGE, write_server_files
from tests.exported import CHARACTERS, MAX_LENGTH, Served
from tests.models import make_model
from train.data.music.config import MusicConfig
from train.data.text.config import TextConfig
from train.engine.workdir import FORMAT
from train.support.errors import UserError
from train.support.screen import Screen


def _write_run(folder, task, **overrides):
    """What a finished run leaves, as far as it matters here."""
    model = make_model("lstm", max_length=MAX_LENGTH, **overrides)
    folder.mkdir()
    settings = {
        "format": FORMAT,
        "task": task,
        "train": {"text": TextConfig, "music": MusicConfig}[task].from_preset("tiny").to_dict(),
        "model": model.config.to_dict(),
        "dataset_sha256": "0",
    }
    (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    model.save(folder / "model.keras")
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    return _write_run(folder, "text", vocabulary=CHARACTERS, vocab_size=len(CHARACTERS) + 2)


def _flags(run, out, *more):
    return [str(run), "--out", str(out), "--name", "lm", *more]


def test_a_run_becomes_the_next_version_and_the_files_of_a_server(
    run, tmp_path, capsys, monkeypatch
):
    shown = []
    monkeypatch.setattr(Screen, "now", lambda self, what: shown.append(what))
    (tmp_path / "lm" / "1").mkdir(parents=True)
    saved_model.main(_flags(run, tmp_path, "--max-length", "5"))
    assert capsys.readouterr().out == f"{tmp_path / 'lm' / '2'}\n"
    # A terminal is never silent.
    assert shown[:2] == ["loading TensorFlow", "reading the model"]
    assert "writing the model" in shown and shown[-1].startswith("trying ")
    assert sorted(p.name for p in (tmp_path / "lm").iterdir()) == ["1", "2"]
    files = {"batching.config", "docker-compose.yml", "models.config", "lm", "lm.html"}
    assert {p.name for p in tmp_path.iterdir()} == files
    # No model can have such a name.
    assert all(name.endswith(saved_model._OF_FILES) for name in files - {"lm"})
    # It needs nothing of what is around it: its vocabulary travels with it.
    model = Served((tmp_path / "lm" / "2").rename(tmp_path / "elsewhere"))
    many = {"length": [1000], "seed": [0], "temperature": [1]}
    assert model("generate", **many)["num_steps"].tolist() == [5]
    assert model("score", text=["aé?".encode()])["num_unknown"].tolist() == [1]
    assert tf.io.gfile.exists(str(tmp_path / "elsewhere" / "assets" / "vocabulary.txt"))


@pytest.mark.nightly
def test_a_run_of_music_too(tmp_path):
    run = _write_run(tmp_path / "run", "music", emission="bernoulli", vocab_size=88)
    saved_model.main(_flags(run, tmp_path / "out", "--version", "5"))
    model = Served(tmp_path / "out" / "lm" / "5")
    drawn = model("generate", length=[3, 0], seed=[0, 1], temperature=[1, 1])
    assert [len(roll) for roll in drawn["roll_bytes"]] == [33, 0]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--name", "a/b"), "--name expects"),
        (("--name", ".a"), "--name expects"),
        (("--name", ""), "--name expects"),
        (("--name", "models.config"), "--name expects no ending of the files next to the model"),
        (("--name", "docker-compose.yml"), "--name expects no ending"),
        (("--name", "lm.html"), "--name expects no ending"),
        (("--max-length", "0"), "--max-length expects 1 to 12 characters"),
        (("--max-length", "13"), "--max-length expects 1 to 12 characters"),
        (("--score-samples", "0"), "--score-samples expects"),
        (("--version", "0"), "--version expects"),
        (("--version", "3"), "exists"),
    ],
)
def test_bad_flags_are_refused(run, tmp_path, more, message):
    (tmp_path / "lm" / "3").mkdir(parents=True)
    with pytest.raises(UserError, match=message):
        saved_model.main(_flags(run, tmp_path, *more))


def test_a_folder_without_a_finished_run_is_refused(run, tmp_path):
    with pytest.raises(UserError, match="is neither a run nor a pretrained model"):
        saved_model.main(_flags(tmp_path, tmp_path / "out"))
    (tmp_path / "config.json").write_bytes((run / "config.json").read_bytes())
    with pytest.raises(UserError, match="has not finished"):
        saved_model.main(_flags(tmp_path, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.nightly
def test_a_graph_that_is_refused_leaves_nothing(run, tmp_path, monkeypatch):
    def refuse(folder, xla):
        assert (folder / "saved_model.pb").exists()
        raise UserError("no")

    monkeypatch.setattr("export.saving.export.check_graph", refuse)
    with pytest.raises(UserError, match="no"):
        saved_model.main(_flags(run, tmp_path))
    assert [p.name for p in tmp_path.rglob("*")] == ["lm"]


def test_a_server_is_told_of_every_model(tmp_path):
    for path in ("b/1", "a/3", "no-version/x", "b/2"):
        (tmp_path / path).mkdir(parents=True)
    assert write_server_files(tmp_path, "b", xla=False) == []
    config = text_format.Parse(
        (tmp_path / "models.config").read_text(), model_server_config_pb2.ModelServerConfig()
    )
    models = [(model.name, model.base_path) for model in config.model_config_list.config]
    assert models == [("a", "/models/a"), ("b", "/models/b")]


def test_the_container_has_pinned_image_ports_and_health_check(tmp_path):
    for xla in (False, True):
        out = tmp_path / str(xla)
        out.mkdir()
        write_server_files(out, "lm", xla)
        service = yaml.safe_load((out / "docker-compose.yml").read_text())["services"]["serving"]
        assert service["image"] == IMAGE and IMAGE.rpartition(":")[2][0].isdigit()
        assert [port.split(":")[-1] for port in service["ports"]] == ["8501", "8500"]
        assert ("--xla_cpu_compilation_enabled=true" in service["command"]) == xla
        assert r"GET /v1/models/lm HTTP/1.0\r\n\r\n" in service["healthcheck"]["test"][-1]
        assert service["volumes"] == ["./:/models:ro"]


def test_the_page_beside_a_model_asks_for_it(tmp_path):
    write_server_files(tmp_path, "lm", xla=False)
    page = (tmp_path / "lm.html").read_text(encoding="utf-8")
    assert '<meta name="model" content="http://127.0.0.1:8501/v1/models/lm">' in page


def test_a_users_changes_stay(tmp_path):
    assert write_server_files(tmp_path, "lm", xla=False) == []
    assert write_server_files(tmp_path, "lm", xla=False) == []
    mine = tmp_path / "batching.config"
    mine.write_text("max_batch_size { value: 2 }\n")
    assert write_server_files(tmp_path, "lm", xla=False) == [mine]
    assert mine.read_text() == "max_batch_size { value: 2 }\n"
