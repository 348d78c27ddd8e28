"""A description of this machine: its processor, relevant instruction sets, caches and GPUs."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path

from train.support.errors import UserError

__all__ = [
    "describe_caches",
    "describe_machine",
    "has_fast_bfloat16",
    "refuse_bfloat16_if_disabled",
]

# The instruction sets that affect matrix products, and so the last bits of a result.
_INSTRUCTION_SETS = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_bf16": "AVX-512 BF16",
    "amx_bf16": "AMX",
    "asimd": "NEON",
    "sve": "SVE",
}
_BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}
# Values of oneDNN's limit under which its products in bfloat16 end the process, where TensorFlow
# finds that the processor has such instructions.
_LIMITS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
_WITHOUT_BFLOAT16 = {"SSE41", "AVX", "AVX2", "AVX2_VNNI"}


def describe_machine(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Returns, for example, `2 cores of an AMD EPYC 7B13 with AVX2; no GPU; Python 3.11.9`.

    Args:
      cpuinfo: Linux's description of the processor; missing entries are left out.
    """
    fields = _fields(cpuinfo)
    name = fields.get("model name") or platform.processor() or platform.machine()
    flags = _flags(fields)
    sets = [title for flag, title in _INSTRUCTION_SETS.items() if flag in flags]
    processor = f"{os.cpu_count()} cores of {name}" + (f" with {', '.join(sets)}" if sets else "")
    return "; ".join([processor, _gpus() or "no GPU", f"Python {platform.python_version()}"])


def has_fast_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether there is a GPU, or a processor that multiplies bfloat16, or one that is unknown.

    Args:
      cpuinfo: As for `describe_machine`.
    """
    flags = _flags(_fields(cpuinfo))
    return bool(_gpus()) or not flags or not _BFLOAT16.isdisjoint(flags)


def refuse_bfloat16_if_disabled(
    cpuinfo: Path = Path("/proc/cpuinfo"), environ: Mapping[str, str] = os.environ
) -> None:
    """Refuses products in bfloat16 that would end the process.

    Args:
      cpuinfo: As for `describe_machine`.
      environ: The environment.

    Raises:
      UserError: oneDNN is limited to instructions without bfloat16, on a processor with them.
    """
    if _BFLOAT16.isdisjoint(_flags(_fields(cpuinfo))):
        return
    for name in _LIMITS:
        if environ.get(name, "").upper() in _WITHOUT_BFLOAT16:
            raise UserError(
                f"{name}={environ[name]} keeps oneDNN from using bfloat16 instructions, and the "
                "process would be aborted: unset it, or do without bfloat16"
            )


def describe_caches(caches: Path = Path("/sys/devices/system/cpu/cpu0/cache")) -> str:
    """Returns, for example, `L1 32K, L2 512K, L3 16384K`: data caches of a core; "" if unknown.

    Args:
      caches: Where Linux tells of them, a folder each.
    """
    found = []
    for folder in sorted(caches.glob("index*")):
        names = (folder / name for name in ("level", "type", "size"))
        try:
            level, kind, size = (name.read_text().strip() for name in names)
        except OSError:
            continue
        if kind != "Instruction":
            found.append(f"L{level} {size}")
    return ", ".join(found)


def _fields(cpuinfo: Path) -> dict[str, str]:
    """The properties of the first core."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").split("\n\n")[0].splitlines()
    except OSError:
        return {}
    pairs = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _flags(fields: dict[str, str]) -> list[str]:
    """The names of the processor's instruction sets."""
    return (fields.get("flags") or fields.get("Features") or "").split()


def _gpus() -> str:
    """The names of the NVIDIA GPUs, if their tool is installed."""
    try:
        command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return ""
    return ", ".join(done.stdout.splitlines())
