"""Writing down what a master's work was like, for `concurrent bench simulate`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from concurrent_framework.master.recording import HEADER, LENGTH_BYTES, Frames, rows_of
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from io import BufferedWriter
    from logging import Logger
    from pathlib import Path

    from concurrent_framework.master.facts import Fact


class Recorder:
    """Writes a recording until that is as long as it may be.

    It never hinders the master: what cannot be written is told once, and the recording ends there.

    Args:
        path: the file.
        limit: bytes that it may have.
        epoch: unix time when the master's clock was at zero.
        log: where to tell why it ends.
        anew: whether what an earlier master has recorded there goes, because this one counts its
            applications and workers from the beginning.

    Raises:
        UsageError: the file cannot be written, or is something else.

    """

    def __init__(
        self, path: Path, limit: int, epoch: float, log: Logger, *, anew: bool = False
    ) -> None:
        self._path = path
        self._limit = limit
        self._epoch = epoch
        self._log = log
        self._frames = Frames()
        try:
            self._size = _prepare(path, anew=anew)
            self._file: BufferedWriter | None = path.open("ab")
        except OSError as error:
            message = f"master.record: {path} cannot be written: {error.strerror or error}"
            raise UsageError(message) from error

    def record(self, facts: Sequence[Fact], now: float) -> None:
        """Take the facts of a round at a time of the master's clock."""
        if self._file is None:
            return
        rows = list(rows_of(facts, self._epoch + now))
        if not rows:
            return
        data = self._frames.encode(rows)
        self._size += len(data)
        if self._size > self._limit:
            self._end(f"it has the {self._limit:,} bytes that master.record_bytes allows")
            return
        try:
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            self._end(error.strerror or str(error))

    def close(self) -> None:
        """Write the rest."""
        if self._file is not None:
            try:
                self._file.close()
            except OSError as error:
                self._log.warning("the recording %s lacks its end: %s", self._path, error.strerror)
            self._file = None

    def _end(self, reason: str) -> None:
        self._log.warning("the recording %s ends here: %s", self._path, reason)
        self.close()


def _prepare(path: Path, *, anew: bool) -> int:
    """Make the file, or begin it anew, or cut off what a killed master has not written whole; return its size."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        length = file.seek(0, os.SEEK_END)
        if not length:
            file.write(HEADER)
            return len(HEADER)
        file.seek(0)
        if file.read(len(HEADER)) != HEADER:
            message = f"master.record: {path} is something else: name a file that is no other's"
            raise UsageError(message)
        whole = len(HEADER)
        while not anew and (size := file.read(LENGTH_BYTES)):
            following = whole + LENGTH_BYTES + int.from_bytes(size, "big")
            if len(size) < LENGTH_BYTES or following > length:
                break
            whole = file.seek(following)
        file.truncate(whole)
        return whole
