"""Ctrl-C and SIGTERM: they stop the user's code at once and ours where it can be stopped."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERRUPTED = 130
TERMINATED = 143


class Terminated(KeyboardInterrupt):
    """SIGTERM has come. Of this kind because asyncio lets no other exception end its loop."""


class Interrupts:
    """Turns signals into exceptions, but not while the connection is being written to.

    In a thread other than the main one it does nothing.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._due: type[BaseException] | None = None
        self._before: dict[signal.Signals, Any] = {}

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Handle the signals here, and as before afterwards."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._come)
        try:
            yield
        finally:
            for number, handler in self._before.items():
                signal.signal(number, handler)
            self._before.clear()

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._due is not None and not self._depth:
            due, self._due = self._due, None
            raise due

    def _come(self, number: int, _frame: object) -> None:
        kind = KeyboardInterrupt if number == signal.SIGINT else Terminated
        if self._depth:
            self._due = kind
        else:
            raise kind
