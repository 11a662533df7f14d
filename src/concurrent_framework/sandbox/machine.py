"""What this process may use of the machine it runs on."""

from __future__ import annotations

import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def usable_processors() -> int:
    """Return the processors this process may use: at least 1; containers have their own limit."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    quota, _, period = _read("cpu.max").partition(" ")
    if quota.isdecimal() and period.strip().isdecimal():
        count = min(count, max(1, int(quota) // int(period)))
    return count


def usable_memory() -> int:
    """Return the bytes of memory this process may use; containers have their own limit."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = _read("memory.max").strip()
    return min(total, int(limit)) if limit.isdecimal() else total


def visible_gpus() -> list[str]:
    """Return the names of the GPUs that were left to this process, empty if nobody chose some."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    return [name.strip() for name in chosen.split(",") if name.strip()]


def _read(name: str) -> str:
    """Read a limit of this process's control group, as it looks from inside a container."""
    try:
        return (_CGROUP / name).read_text("ascii")
    except OSError:
        return ""
