"""What an executor may use of the machine, and how much it does use."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
from pathlib import Path

_OOM_PREFERENCE = "500"
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1
"""Numbers of the options of mallopt."""
LARGEST_REUSED = 8 << 20
"""Bytes of the largest object whose memory is kept; twice that may be kept altogether."""
_PAGE = os.sysconf("SC_PAGE_SIZE")


def confine() -> None:
    """Make this process the first to go when the machine is out of memory; let it dump no core."""
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(_OOM_PREFERENCE, "ascii")


def keep_freed_memory() -> None:
    """Have the C library reuse memory of large objects, instead of asking the system each time.

    Pickling a megabyte takes a tenth of the time then: the system need not clear its pages again.
    """
    if sys.platform.startswith("linux"):
        import ctypes

        adjust = getattr(ctypes.CDLL(None), "mallopt", None)  # not every C library has it
        if adjust is not None:
            adjust(_MMAP_THRESHOLD, LARGEST_REUSED)
            adjust(_TRIM_THRESHOLD, 2 * LARGEST_REUSED)


def peak_memory() -> int:
    """Return the bytes of resident memory this process has used at most."""
    # Where a large process starts another, getrusage counts the large one's memory for both.
    with contextlib.suppress(OSError, ValueError, IndexError):
        status = Path("/proc/self/status").read_text("ascii", "replace")
        return int(status.partition("VmHWM:")[2].split(maxsplit=1)[0]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def resident_memory(pid: int) -> int:
    """Return the bytes of resident memory of a process and its descendants, 0 if it has ended."""
    try:
        return _family_memory(pid)
    except OSError:
        return _family_memory_by_psutil(pid)


def _family_memory(pid: int) -> int:
    """Use what Linux offers: a list of children per thread, without a look at all processes."""
    folder = Path("/proc") / str(pid)
    if not folder.parent.joinpath("self", "statm").exists():
        raise OSError
    try:
        total = int((folder / "statm").read_text("ascii").split()[1]) * _PAGE
        threads = list((folder / "task").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return 0
    for thread in threads:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            children = (thread / "children").read_text("ascii").split()
            total += sum(_family_memory(int(child)) for child in children)
    return total


def _family_memory_by_psutil(pid: int) -> int:
    import psutil

    total = 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += one.memory_info().rss
    return total
