"""The last words of a process, for its death certificate."""

from __future__ import annotations

import os

_BYTES = 16 * 1024
_KEPT_BYTES = 4096
_LINES = 20
_FATAL = "Fatal Python error:"
_OURS = os.sep + os.path.join("concurrent_framework", "worker", "executor", "")


def last_words(fd: int) -> str:
    """Return the last lines in a file, without moving the descriptor's offset.

    Where the interpreter itself has reported a crash, that report's beginning matters more than the
    end, which shows only the frames of this package below the user's.
    """
    size = os.fstat(fd).st_size
    data = os.pread(fd, _BYTES, max(0, size - _BYTES))
    lines = data.decode("utf-8", "replace").splitlines()
    for index, line in enumerate(lines):
        if line.startswith(_FATAL):
            ours = (at for at in range(index, len(lines)) if _OURS in lines[at])
            lines = lines[max(0, index - 5) : next(ours, len(lines))][:_LINES]
            break
    return "\n".join(lines[-_LINES:])[-_KEPT_BYTES:]
