"""How much processor time a process has used."""

from __future__ import annotations

from pathlib import Path

import psutil


def seconds_of(pid: int) -> float:
    """Return the processor time of a process and all its threads; 0 if it has ended.

    Linux tells it to the nanosecond, others to a hundredth of a second.
    """
    threads = Path("/proc") / str(pid) / "task"
    try:
        if threads.exists():
            return sum(
                int((thread / "schedstat").read_text(encoding="ascii").split()[0]) / 1e9
                for thread in threads.iterdir()
            )
        times = psutil.Process(pid).cpu_times()
    except (OSError, psutil.Error):
        return 0.0
    return float(times.user + times.system)
