"""What the figures were measured on: processor, cores, instruction sets, system."""

from __future__ import annotations

import os
import platform
from pathlib import Path

# Those that decide how fast arithmetic is.
INSTRUCTION_SETS = ["avx512f", "avx512_bf16", "amx_tile", "avx2", "fma", "asimd", "sve"]


def cores() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def described() -> str:
    """The machine in a line."""
    about: dict[str, str] = {}
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            key, _, value = line.partition(":")
            about.setdefault(key.strip(), value.strip())
    name = about.get("model name", platform.processor() or platform.machine())
    if "cpu family" in about:
        name += f" (family {about['cpu family']}, model {about['model']})"
    flags = about.get("flags", about.get("Features", "")).split()
    sets = [it for it in INSTRUCTION_SETS if it in flags]
    hypervisor = ", virtual machine" if "hypervisor" in flags else ""
    system = f"{platform.system()} {platform.release()}"
    return f"{name}, {cores()} cores, {' '.join(sets)}{hypervisor}; {system}"
