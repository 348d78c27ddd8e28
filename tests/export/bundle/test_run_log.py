"""The log of a bundle's run."""

from __future__ import annotations

from pathlib import Path

from export.bundle.device.run_log import RunLog


def test_a_log_keeps_its_whole_lines(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(b'{"step": 1}\n\xff{"step": 1}\n{"step": 2}\n{"step": 3}\n{"st')
    RunLog(log).begin(2)
    assert log.read_text() == '{"step": 1}\n{"step": 2}\n'
