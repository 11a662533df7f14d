"""Keys pressed while something else is on the screen."""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, Any, Self, TextIO

if TYPE_CHECKING:
    from types import TracebackType


class Keys:
    """Reads single keys from a terminal, which is as it was again after the `with` block.

    Args:
        terminal: usually stdin.

    """

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self._before: Any = None

    def pressed(self, key: str, seconds: float) -> bool:
        """Wait so long, or until a key is pressed; whether it was this one."""
        ready, _, _ = select.select([self._terminal], [], [], seconds)
        return bool(ready) and self._terminal.read(1).lower() in (key, "")

    def __enter__(self) -> Self:
        import termios
        import tty

        self._before = termios.tcgetattr(self._terminal)
        tty.setcbreak(self._terminal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        import termios

        termios.tcsetattr(self._terminal, termios.TCSADRAIN, self._before)
