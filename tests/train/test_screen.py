"""What a program shows on a terminal, and in a pipe."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time

from tests.paths import ROOT

PROGRAM = """
import time
from train.support.screen import Screen
with Screen() as screen:
    screen.now("reading [the] data")
    screen.line("a line [bold] that stays")
    screen.log("a line where nothing moves")
    time.sleep(1.5)
    screen.now("training", 3, 10, "2.1 bpc")
    time.sleep(0.5)
print("over")
"""


def test_a_pipe_gets_lines_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout == "a line [bold] that stays\na line where nothing moves\nover\n"
    assert done.stderr == ""


def test_on_a_terminal_something_moves_while_the_program_is_busy() -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=theirs,
        stderr=theirs,
        cwd=ROOT,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    ) as process:
        os.close(theirs)
        shown, times = b"", []
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    part = os.read(ours, 65536)
                except OSError:  # The other end is closed.
                    break
                shown += part
                times.append(time.monotonic())
        assert process.wait() == 0
    os.close(ours)
    text = shown.decode()
    assert "a line [bold] that stays" in text and "a line where nothing moves" not in text
    assert "reading [the] data" in text and "training" in text and "2.1 bpc" in text
    assert text.rstrip().endswith("over")
    gaps = [b - a for a, b in zip(times, times[1:], strict=False)]
    assert len(times) > 10 and max(gaps) < 1.4
