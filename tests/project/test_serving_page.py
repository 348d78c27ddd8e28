"""The commands of docs/SERVING.md and docs/PAGE.md are commands that the programs take."""

from __future__ import annotations

import json

import pytest

from export.client import COMMANDS
from export.load_test import LoadTestConfig
from export.saved_model import ExportConfig
from export.saving.server_files import IMAGE
from export.serve import ServeConfig
from tests.paths import ROOT
from tests.project.document_commands import blocks, check_pip, commands
from train.data.text.config import TextConfig
from train.support.flags import parse_flags

PAGE = (ROOT / "docs" / "SERVING.md").read_text(encoding="utf-8")
PAGES = (PAGE, (ROOT / "docs" / "PAGE.md").read_text(encoding="utf-8"))
PROGRAMS = {
    "export.saved_model": ExportConfig,
    "export.serve": ServeConfig,
    "export.load_test": LoadTestConfig,
}


def check(words: list[str]) -> None:
    words = [word for word in words if word != "&"]
    while "=" in words[0]:  # Variables of the environment.
        words = words[1:]
    match words:
        case ["python", "-m", "export.client", command, *flags]:
            kind, _ = COMMANDS[command]
            parse_flags(kind, "export.client", flags)
        case ["python", "-m", "train.char_lm"]:
            # What the next line exports.
            assert str(TextConfig.from_preset().run_directory) in PAGE
        case ["python", "-m", program, *flags]:
            parse_flags(PROGRAMS[program], program, flags)
        case ["python" | "pytest", path, *_]:
            assert (ROOT / path).exists()
        case ["curl", "-d", body, url]:
            (row,) = json.loads(body)["instances"]
            assert list(row) == ["length", "seed", "temperature"]
            assert url.endswith(":8501/v1/models/english:predict")
        case ["pip", *arguments]:
            check_pip(arguments)
        case ["docker", "compose", "--file", path, *_]:
            assert path == "served/docker-compose.yml"
        case ["docker", "run", *_, image]:
            assert IMAGE.startswith(image)
        case _:
            pytest.fail(f"no check for {words}")


def test_every_command_is_one() -> None:
    found = [block for page in PAGES for block in blocks(page)]
    assert len(found) > 5
    for block in found:
        assert block.language == "bash"
        for words in commands(block.code):
            check(words)
