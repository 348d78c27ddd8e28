"""How programs end."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf

from tests.paths import ROOT
from train.support.errors import UserError, fault_of_machine, run_program
from train.support.files import whole_file


def _raise(error: BaseException) -> Callable[[], None]:
    def main() -> None:
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UserError("two\nlines; mend  them"), "error: two lines; mend them\n"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "'/x': Permission denied"),
        (IsADirectoryError(errno.EISDIR, "a folder", "/x/.tmp-0ab-12-y"), "cannot use '/x/y': a f"),
        (OSError(errno.ENOSPC, "No space left on device"), "cannot use: No space left on device"),
        (OSError(errno.EIO, "Input/output error"), "the disk or the connection to it is faulty"),
    ],
)
def test_the_user_gets_one_line_and_status_2(
    error: Exception, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        run_program(_raise(error))
    out, err = capsys.readouterr()
    assert stop.value.code == 2
    assert out == "" and line in err and err.startswith("error: ") and err.count("\n") == 1


@pytest.mark.parametrize("error", [ValueError("a bug"), OSError(errno.EBADF, "closed")])
def test_a_bug_keeps_its_traceback(error: Exception) -> None:
    with pytest.raises(type(error)):
        run_program(_raise(error))


@pytest.mark.parametrize("words", ["interrupted", "the same command resumes it"])
def test_an_interrupt_says_what_the_program_says(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        run_program(_raise(KeyboardInterrupt()), words)
    assert stop.value.code == 130
    assert capsys.readouterr().err == f"\n{words}\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_program_that_cleans_up(
    number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def main() -> None:
        with whole_file(tmp_path / "a") as temporary:
            temporary.write_text("half")
            signal.raise_signal(number)

    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as stop:
        run_program(main, "the same command resumes it")
    assert stop.value.code == 128 + number
    assert capsys.readouterr().err == "\nthe same command resumes it\n"
    assert not any(tmp_path.iterdir())
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_it_at_once(number: int) -> None:
    code = (
        "import contextlib, signal\n"
        "from train.support.errors import run_program\n"
        "def main():\n"
        "    for _ in range(2):\n"
        "        with contextlib.suppress(KeyboardInterrupt):  # As if it waited for TensorFlow.\n"
        f"            signal.raise_signal({number:d})\n"
        "run_program(main)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert done.returncode == -number


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        run_program(lambda: signal.raise_signal(signal.SIGTERM))
    finally:
        signal.signal(signal.SIGTERM, before)


def _chained(cause: BaseException, context: bool) -> Exception:
    error = RuntimeError("could not save")
    if context:
        error.__context__ = cause
    else:
        error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        tf.errors.ResourceExhaustedError(
            None, None, "/run/variables.data; No space left on device"
        ),
        tf.errors.UnknownError(None, None, "/run/x: Disk quota exceeded"),
        RuntimeError("Can't decrement id ref count (errno = 28, No space left on device)"),
        _chained(OSError(errno.ENOSPC, "No space left on device", "/x"), context=False),
        _chained(OSError(errno.ENOSPC, "No space left on device", "/x"), context=True),
    ],
)
def test_a_full_disk_is_the_machine_s_in_every_form(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        run_program(_raise(error))
    err = capsys.readouterr().err
    assert stop.value.code == 2 and err.startswith("error: cannot write") and err.count("\n") == 1
    assert err.endswith("; make room, and run the same command again\n")


def test_the_place_and_the_cure_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs/one").mkdir(parents=True)
    message = "runs/one/variables.data-0; File too large [Op:SaveV2] on /job:localhost/task:0/cpu"
    said = fault_of_machine(tf.errors.OutOfRangeError(None, None, message))
    assert said is not None and said.startswith("cannot write 'runs/one/variables.data-0': File")
    assert "ulimit -f" in said


@pytest.mark.parametrize(
    "error",
    [
        tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor"),
        _chained(FileNotFoundError(errno.ENOENT, "No such file", "/x"), context=True),
    ],
)
def test_what_only_looks_like_it_keeps_its_traceback(error: Exception) -> None:
    with pytest.raises(type(error)):
        run_program(_raise(error))


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_characters_that_cannot_be_shown_are_replaced(encoding: str) -> None:
    code = (
        "from train.support.errors import UserError, run_program\n"
        "def main():\n"
        "    print('caf\\u00e9 \\u4e2d \\udcff')\n"
        "    raise UserError('no file \\u4e2d')\n"
        "run_program(main)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        check=False,
    )
    assert done.returncode == 2
    assert b"?" in done.stdout and b"Traceback" not in done.stderr
    assert done.stderr == b"error: no file ?\n"


def test_a_reader_that_has_gone_is_no_error() -> None:
    code = (
        "from train.support.errors import run_program; run_program(lambda: print('x\\n' * 100000))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.parametrize(
    ("closed", "program", "message"),
    [
        (">&-", "train.sample --list", ""),
        ("<&-", "train.score python-reference", "error: expected text on standard input; it is"),
    ],
)
def test_closed_streams(closed: str, program: str, message: str) -> None:
    command = f"{sys.executable} -m {program} {closed}"
    run = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True)
    assert run.stderr.startswith(message) and run.returncode == (2 if message else 0), run.stderr
    assert "Traceback" not in run.stderr
