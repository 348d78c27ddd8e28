"""Signals that are deferred to where the work can stop."""

import signal
import threading
from collections.abc import Iterator

import pytest

from train.engine.loop.interruption import deferred_signals
from train.support.errors import run_program

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Those of a program, which every test must leave in place."""
    found = [signal.signal(number, default) for number, default in zip(SIGNALS, own(), strict=True)]
    yield
    kept = [signal.getsignal(number) for number in SIGNALS]
    for number, before in zip(SIGNALS, found, strict=True):
        signal.signal(number, before)
    assert kept == own()


def own() -> list[object]:
    return [signal.default_int_handler, signal.SIG_DFL]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_waits_for_the_end_of_the_block(
    number: int, capfd: pytest.CaptureFixture[str]
) -> None:
    said = []

    def main() -> None:
        with deferred_signals() as should_stop:
            said.append(should_stop())
            signal.raise_signal(number)
            said.append(should_stop())

    with pytest.raises(SystemExit) as stop:
        run_program(main, "the same command resumes it")
    assert said == [False, True]
    assert stop.value.code == 128 + number
    first, last = capfd.readouterr().err.split("\n\n")
    assert "stopping after this step, with a checkpoint" in first
    assert last == "the same command resumes it\n"


def test_a_closed_standard_error_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(file: int, data: bytes) -> int:
        raise BrokenPipeError

    monkeypatch.setattr("os.write", closed)
    with pytest.raises(KeyboardInterrupt), deferred_signals() as should_stop:
        signal.raise_signal(signal.SIGTERM)
        assert should_stop()


def test_a_second_ctrl_c_acts_at_once() -> None:
    with pytest.raises(KeyboardInterrupt) as stop, deferred_signals():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)  # The first of its kind: a program ends its children.
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the second signal was deferred too")
    assert stop.value.args == ()


def test_another_error_is_not_replaced() -> None:
    with pytest.raises(ZeroDivisionError), deferred_signals():
        signal.raise_signal(signal.SIGTERM)
        raise ZeroDivisionError


def test_an_ignored_signal_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with deferred_signals() as should_stop:
            signal.raise_signal(signal.SIGINT)
            assert not should_stop()
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def test_it_can_be_switched_off() -> None:
    with pytest.raises(KeyboardInterrupt), deferred_signals(defer=False):
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the signal was deferred")


def test_in_another_thread_nothing_is_deferred() -> None:
    asked = []

    def work() -> None:
        with deferred_signals() as should_stop:
            asked.append((should_stop(), *map(signal.getsignal, SIGNALS)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert asked == [(False, *own())]
