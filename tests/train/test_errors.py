"""How programs end."""

import errno
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.paths import ROOT
from train.support.errors import UserError, run_program


def _raise(error: BaseException) -> Callable[[], None]:
    def main() -> None:
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UserError("two\nlines; mend  them"), "error: two lines; mend them\n"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "'/x': Permission denied"),
        (OSError(errno.ENOSPC, "No space left on device"), "cannot use: No space left on device"),
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


@pytest.mark.parametrize("error", [ValueError("a bug"), OSError(errno.EIO, "broken")])
def test_a_bug_keeps_its_traceback(error: Exception) -> None:
    with pytest.raises(type(error)):
        run_program(_raise(error))


def test_an_interrupt_says_how_to_continue(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        run_program(_raise(KeyboardInterrupt()))
    assert stop.value.code == 130
    assert "same command" in capsys.readouterr().err


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
