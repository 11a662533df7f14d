"""Being asked to end: SIGINT and SIGTERM as something an event loop can wait for."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


class StopSignal:
    """Readable once the process has been asked to end.

    Args:
        interrupt: whether Ctrl-C asks too; a node inside another program leaves it to that.

    """

    def __init__(self, *, interrupt: bool) -> None:
        self.reason = ""
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        signal.signal(signal.SIGTERM, self._ask)
        signal.signal(signal.SIGINT, self._ask if interrupt else signal.SIG_IGN)

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._read

    @property
    def asked(self) -> bool:
        """Whether it is time to end."""
        return bool(self.reason)

    @property
    def exit_code(self) -> int:
        """The exit code that says so: 130 after Ctrl-C, otherwise 0."""
        return 130 if self.reason == "interrupted" else 0

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        self.reason = "interrupted" if number == signal.SIGINT else "terminated"
        os.write(self._write, b"!")
