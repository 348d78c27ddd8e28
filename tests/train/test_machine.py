"""What is said of the machine of a training."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from train.support.errors import UserError
from train.support.machine import (
    describe_caches,
    describe_machine,
    has_fast_bfloat16,
    refuse_bfloat16_if_disabled,
)


def test_a_processor_is_named_with_its_instruction_sets(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    first = "processor\t: 0\nmodel name\t: A CPU: fast\nflags\t\t: fpu avx2 avx512f amx_bf16\n"
    cpuinfo.write_text(first + "\nprocessor\t: 1\nmodel name\t: Another\nflags\t\t: sve\n")
    assert "cores of A CPU: fast with AVX2, AVX-512, AMX; " in describe_machine(cpuinfo)


def test_a_machine_that_tells_nothing_is_described_all_the_same(tmp_path: Path) -> None:
    words = describe_machine(tmp_path / "none")
    assert " cores of " in words and " with " not in words and "; Python 3." in words


@pytest.mark.parametrize(
    ("flags", "fast"),
    [
        ("flags\t\t: avx2 avx512f", False),
        ("flags\t\t: avx512f avx512_bf16", True),
        ("flags\t\t: amx_bf16", True),
        ("Features\t: asimd bf16", True),
        ("Features\t: asimd", False),
        ("cpu family\t: 6", True),  # Nothing is known of it.
    ],
)
def test_bfloat16_is_fast_where_the_processor_has_instructions_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, fast: bool
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # Without nvidia-smi.
    (tmp_path / "cpuinfo").write_text(f"model name\t: A CPU\n{flags}\n")
    assert has_fast_bfloat16(tmp_path / "cpuinfo") == fast


@pytest.mark.parametrize(
    ("flags", "environ", "refused"),
    [
        ("avx512_bf16", {"ONEDNN_MAX_CPU_ISA": "AVX2"}, True),
        ("amx_bf16", {"DNNL_MAX_CPU_ISA": "avx2"}, True),
        ("amx_bf16", {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}, False),
        ("avx2", {"ONEDNN_MAX_CPU_ISA": "AVX2"}, False),  # TensorFlow knows of no bfloat16 either.
        ("amx_bf16", {}, False),
    ],
)
def test_bfloat16_that_would_end_the_process_is_refused(
    tmp_path: Path, flags: str, environ: dict[str, str], refused: bool
) -> None:
    (tmp_path / "cpuinfo").write_text(f"model name\t: A CPU\nflags\t\t: {flags}\n")
    expected = "(ONEDNN|DNNL)_MAX_CPU_ISA=(AVX2|avx2) keeps oneDNN from using bfloat16"
    with pytest.raises(UserError, match=expected) if refused else nullcontext():
        refuse_bfloat16_if_disabled(tmp_path / "cpuinfo", environ)


def test_data_caches_are_named_by_level(tmp_path: Path) -> None:
    for k, values in enumerate(
        [("1", "Data", "32K"), ("1", "Instruction", "64K"), ("2", "Unified", "512K")]
    ):
        (tmp_path / f"index{k}").mkdir()
        for name, value in zip(("level", "type", "size"), values, strict=True):
            (tmp_path / f"index{k}" / name).write_text(value + "\n")
    assert describe_caches(tmp_path) == "L1 32K, L2 512K"
    assert describe_caches(tmp_path / "none") == ""
