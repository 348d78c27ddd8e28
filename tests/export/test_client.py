"""The program that asks a server, with a model whose answers are known."""

from __future__ import annotations

import base64
import json
import socket
import threading
from pathlib import Path

import numpy as np
import pytest

from export import client
from export.rest_client import RestClient, Signature
from export.serving.local_server import LocalServer
from tests.local_servers import running
from tests.served_model import MUSIC_STEPS, write_music_model
from train.data.music.midi import read_midi, write_midi
from train.data.music.rolls import pack_roll
from train.support.errors import UserError


def test_client_of_text(server: LocalServer, capsys: pytest.CaptureFixture[str]) -> None:
    url = server.rest_url
    dot = "\N{MIDDLE DOT}"
    client.main(["generate", "--url", url, "-n", "2", "--length", "5", "--seed", "9"])
    assert capsys.readouterr().out == f"9{dot}5{dot}1.00\n10{dot}5{dot}1.00\n"
    client.main(["generate", "--url", url, "-n", "1", "--length", "5", "--temperature", "0.25"])
    assert capsys.readouterr().out == f"0{dot}5{dot}0.25\n"
    with pytest.raises(UserError, match='answered 400: .*"sing" not found'):
        list(RestClient(url).predict("sing", [{}]))
    client.main(["score", "ab", "", "--url", url + "/"])
    printed = capsys.readouterr()
    first, second = printed.out.splitlines()
    assert printed.err == "note: '' has no numbers: it is empty\n"
    assert first == "log_likelihood -0.4000  num_characters 2  ab"
    assert "log_likelihood nan" in second
    client.main(["generate", "--url", url, "-n", "300", "--length", "5"])  # Of 256 rows at most.
    assert capsys.readouterr().out.splitlines()[299] == f"299{dot}5{dot}1.00"
    client.main(["score", "ab", "--url", url, "--json"])
    assert json.loads(capsys.readouterr().out) == {
        "input": "ab",
        "log_likelihood": -0.4,
        "num_characters": 2,
    }
    client.main(["score", "", "--url", url, "--json"])
    assert json.loads(capsys.readouterr().out)["log_likelihood"] is None
    client.main(["status", "--url", f"{url}/versions/1"])
    out = capsys.readouterr().out
    assert "version 1: AVAILABLE" in out
    assert "score(text string) -> log_likelihood float, num_characters int32" in out


def test_client_of_music(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(write_music_model(tmp_path / "music")) as server:
        client.main(
            ["generate", "--url", server.rest_url, "--length", "5", "--out", str(tmp_path / "out")]
        )
        path = Path(capsys.readouterr().out.strip())
        roll = read_midi(path).roll
        np.testing.assert_array_equal(np.flatnonzero(roll.all(axis=0)), [0, 87])
        assert roll.shape == (5, 88) and roll.sum() == 10
        monkeypatch.setenv("HOME", str(tmp_path))  # A shell leaves `--prompt=~/a.mid` as it is.
        client.main(["score", f"~/out/{path.name}", "--url", server.rest_url])
        assert capsys.readouterr().out.startswith("log_likelihood -1.0000  num_steps 5  ")
        client.main(
            ["generate", "--url", server.rest_url, "--length", "99", "--out", str(tmp_path / "out")]
            + ["--tempo", "240"]
        )
        other = Path(capsys.readouterr().out.strip())
        assert other.name == "sample-0-0-2.mid" and len(read_midi(path).roll) == 5  # Both are kept.
        piece = read_midi(other)
        assert (len(piece.roll), piece.tempo_bpm) == (MUSIC_STEPS, 240)
        with pytest.raises(UserError, match="score expects a MIDI file; got"):
            client.main(["score", "none.mid", "--url", server.rest_url])


def test_what_the_client_refuses(server: LocalServer, tmp_path: Path) -> None:
    url = server.rest_url
    with socket.create_server(("127.0.0.1", 0)) as listening:
        nobody = listening.getsockname()[1]  # A port that is closed by the time it is asked.
    ports = (str(server.rest_port), str(server.grpc_port))
    for args, message in [
        ([], "expected a command, .*; got none"),
        (["sing"], "expected a command, .*; got 'sing'"),
        (["generate", "--url", "localhost:8501"], "--url expects"),
        (["generate", "--url", "http://[::1/v1/models/x"], "--url expects"),
        (["generate", "--url", "http://127.0.0.1:port/v1/models/x"], "--url expects"),
        (["generate", "--url", "http://127.0.0.1:99999/v1/models/x"], "--url expects"),
        (["generate", "--url", f"{url} x"], "--url expects"),
        (["generate", "--url", f"{url}:predict"], "--url expects .*; got '.*:predict'"),
        (["generate", "--url", f"http://127.0.0.1:{nobody}/v1/models/x"], "is the server running"),
        (["generate", "--url", f"{url}x"], "answered 404: .* name of the model"),
        (["generate", "--url", url, "-n", "0"], "--num expects"),
        (["generate", "--url", url, "--length", "0"], "--length"),
        (["generate", "--url", url, "--temperature", "nan"], "--temperature"),
        (
            ["generate", "--url", url, "--out", __file__],
            "--out expects a folder; got '.*client.py'",
        ),
        (
            ["generate", "--url", url, "--seed", "-1"],
            "--seed expects a whole number from 0",
        ),
        (["generate", "--url", url, "--seed", str(2**63)], "from 0 to 9223372036854775807; got"),
        (["status", "--url", server.rest_url.replace(*ports)], "expected the REST port of the"),
        (["generate", "--url", url, "--tempo", "0"], "--tempo expects a number from 4 to 1000"),
        (
            ["generate", "--url", url, "--prompt", "None"],
            "'complete': its model cannot do",
        ),
        (["generate", "--url", url, "--steps-per-beat", "0"], "--steps-per-beat expects a number"),
        (["score", "a", "--url", url, "--steps-per-beat", "481"], "--steps-per-beat expects a"),
        (["score", "--url", url], "sentence"),
        (["status", "--url", f"{url}/versions/8"], "answered 404"),
    ]:
        with pytest.raises(UserError, match=message):
            client.main(args)


@pytest.mark.parametrize("status", [b"200 OK", b"500 Oops"])
def test_an_answer_that_breaks_off_is_said(status: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 %s\r\nContent-Length: 99\r\n\r\n{" % status)

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1/models/x"
        with pytest.raises(UserError, match="/x: the answer broke off; try again"):
            client.main(["status", "--url", url])
        thread.join()


class Continuing:
    """A server whose model answers every row alike."""

    answer: dict[str, object]
    field = "text"
    max_length: int | None = None

    def __init__(self, url: str) -> None:
        self.url = url

    def signatures(self) -> dict[str, Signature]:
        return {name: Signature({self.field: "DT_STRING"}, {}) for name in ("complete", "score")}

    def predict(self, signature: str, instances: list[dict]) -> list[dict]:
        return [self.answer for _ in instances]


CONTINUE = ("generate", "--url", "http://x/v1/models/y", "--prompt", "Thé", "--length")


def test_a_prompt_without_a_continuation_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "RestClient", Continuing)
    monkeypatch.setattr(Continuing, "answer", {"text": "", "num_steps": 0}, raising=False)
    with pytest.raises(UserError, match="expected a --prompt that is not empty, and shorter than"):
        client.main([*CONTINUE, "3"])
    monkeypatch.setattr(Continuing, "max_length", 9)
    with pytest.raises(UserError, match="at most 2 characters here; got 'Thé' with 3: shorten it"):
        client.main([*CONTINUE, "3"])
    long = ["--prompt", "abc " * 20]
    with pytest.raises(UserError, match=f"at most 8 .*; got '{'abc ' * 5}' with 80: shorten it"):
        client.main([*CONTINUE[:3], *long])
    monkeypatch.setattr(Continuing, "field", "roll_bytes")
    write_midi(tmp_path / "long.mid", np.ones([9, 88], np.uint8))
    with pytest.raises(UserError, match="at most 8 steps here; got .*long.mid with 9: shorten it"):
        client.main([*CONTINUE[:3], "--prompt", str(tmp_path / "long.mid")])


def test_a_prompt_is_printed_as_it_was_given_and_what_is_odd_is_said_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(client, "RestClient", Continuing)
    answer = {"text": "Th\N{REPLACEMENT CHARACTER} end", "num_steps": 7}
    monkeypatch.setattr(Continuing, "answer", answer, raising=False)
    client.main([*CONTINUE, "9", "-n", "2"])
    printed = capsys.readouterr()
    assert printed.out == "Thé end\nThé end\n"
    assert printed.err.count("does not know all characters of --prompt") == 1
    assert printed.err.count("--length 9 is beyond the model's longest sequence") == 1


@pytest.mark.parametrize(
    ("answer", "longest", "why"),
    [
        ({"num_characters": 400}, 288, ": 400 characters, at most 288"),
        ({"num_characters": 400}, None, ": longer than any sequence of the model"),
        ({"num_characters": 8}, 288, ""),
        ({}, 288, ": empty or longer than any sequence of the model"),
    ],
)
def test_a_score_without_numbers_has_its_reason(
    answer: dict[str, int],
    longest: int | None,
    why: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(client, "RestClient", Continuing)
    row = {"log_likelihood": np.nan, **answer}
    monkeypatch.setattr(Continuing, "answer", row, raising=False)
    monkeypatch.setattr(Continuing, "max_length", longest)
    client.main(["score", "four " * 80, "--url", "http://x/v1/models/y"])
    assert capsys.readouterr().err == f"note: 'four four four four ' has no numbers{why}\n"


def test_a_continued_piece_keeps_its_tempo_and_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    roll = np.eye(3, 88, 40, dtype=np.uint8)
    write_midi(tmp_path / "tune.mid", roll, tempo_bpm=140)
    packed = {"b64": base64.b64encode(pack_roll(roll)).decode("ascii")}
    monkeypatch.setattr(client, "RestClient", Continuing)
    monkeypatch.setattr(Continuing, "field", "roll_bytes")
    answer = {"roll_bytes": packed, "num_steps": 3}
    monkeypatch.setattr(Continuing, "answer", answer, raising=False)

    def made(*flags: str) -> list[tuple[str, int]]:
        prompt = ("--prompt", str(tmp_path / "tune.mid"), "--out", str(tmp_path / "out"))
        client.main(["generate", "--url", "http://x/v1/models/y", *prompt, *flags])
        paths = map(Path, capsys.readouterr().out.splitlines())
        return [(path.name, round(read_midi(path).tempo_bpm)) for path in paths]

    names = ["tune-continue-7-0.mid", "tune-continue-7-1.mid"]
    assert made("--seed", "7", "-n", "2") == [(name, 140) for name in names]
    assert made("--tempo", "80") == [("tune-continue-0-0.mid", 80)]
    monkeypatch.chdir(tmp_path)
    Path("samples").touch()
    with pytest.raises(UserError, match="--out expects a folder; got 'samples'"):
        client.main(["generate", "--url", "http://x/v1/models/y", "--prompt", "tune.mid"])


def test_the_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    client.main(["--help"])
    out = capsys.readouterr().out
    assert "generate  Samples: text" in out and "score     Log-likelihoods" in out
    assert "status    Versions" in out
