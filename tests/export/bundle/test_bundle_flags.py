"""Flags of a training that no bundle can have."""

from __future__ import annotations

import pytest

from export import train_program
from train.support.errors import UserError


@pytest.mark.parametrize(
    "flags, message",
    [
        (("--accumulation-steps", "2"), "--accumulation-steps 1"),
        (("--workdir", "w"), "is a flag of export.import_weights"),
        (("--worker-index", "0"), "leave out --workers and --worker-index"),
        (("--steps-per-call", "0"), "--steps-per-call expects a number above 0; got 0"),
    ],
)
def test_what_no_bundle_can_have_is_refused(flags: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        train_program.main(flags)


def test_they_are_no_settings_of_the_training(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        train_program.main(["--show-config", "--task", "music", "--steps-per-call", "4"])
    shown = capsys.readouterr().out
    assert "chorales" in shown and "steps_per_call" not in shown
