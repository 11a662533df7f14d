"""Keeps the master from believing that an application is dead while its own code is busy."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Keeper:
    """A thread that speaks for a main loop which does not come round.

    Args:
        speak: says a sign of life if none was said for so many seconds; True if it did.
        spoke: told after `speak` did, in this thread.

    """

    def __init__(self, speak: Callable[[float], bool], spoke: Callable[[], None]) -> None:
        self._speak = speak
        self._spoke = spoke
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, lease: float) -> None:
        """Watch over a connection with this lease in seconds."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._watch, args=(lease / 2,), name="concurrent-keeper", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self, silence: float) -> None:
        while not self._over.wait(silence / 4):
            if self._speak(silence):
                self._spoke()
