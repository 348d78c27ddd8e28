"""What cannot become a bundle, and what is no result of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from export import import_weights, train_program
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


def test_only_the_result_of_a_bundle_can_be_imported(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for path in (tmp_path, file, tmp_path / "none"):
        with pytest.raises(UserError, match="holds no result of a bundle"):
            import_weights.main([str(path), "--workdir", str(tmp_path / "run")])
