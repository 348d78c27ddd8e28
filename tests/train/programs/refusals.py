"""Bad input to a program: what it says, and that it changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.workdirs import contents
from train.support.errors import run_program

__all__ = ["refusal"]


def refusal(
    main: Callable[[Sequence[str]], None],
    flags: Sequence[str],
    capsys: pytest.CaptureFixture[str],
    *folders: Path,
) -> str:
    """What a program says that ends with status 2 and leaves these folders as they were."""
    before = [contents(folder) for folder in folders]
    with pytest.raises(SystemExit) as exit_info:
        run_program(lambda: main(flags))
    out, err = capsys.readouterr()
    assert exit_info.value.code == 2
    assert "Traceback" not in err
    assert out.count("\n") <= 1  # At most what the dataset holds.
    assert [contents(folder) for folder in folders] == before
    return err
