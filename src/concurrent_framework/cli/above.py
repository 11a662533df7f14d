"""What is printed while a bar is shown: it goes above the bar, exactly as it was written."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console


class Above(io.TextIOBase):
    """Stands in for sys.stdout or sys.stderr while rich keeps a live display on a console.

    Rich's own stand-in breaks lines at the terminal's width; this one leaves them whole.

    Args:
        stream: what it stands in for.
        console: where the live display is.

    """

    def __init__(self, stream: TextIO, console: Console) -> None:
        self._stream = stream
        self._console = console
        self._partial = ""

    def write(self, text: str) -> int:
        """Print the lines that are complete; the rest waits for its end, or for `flush`."""
        lines, newline, rest = (self._partial + text).rpartition("\n")
        self._partial = rest
        if newline:
            self._print(lines)
        return len(text)

    def flush(self) -> None:
        """Print an incomplete line too."""
        if self._partial:
            text, self._partial = self._partial, ""
            self._print(text)

    def isatty(self) -> bool:
        """Say what the stream says."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the stream's descriptor; what is written there directly may cross the bar."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """Say yes."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The stream's encoding."""
        return self._stream.encoding

    def _print(self, text: str) -> None:
        from rich.text import Text

        self._console.print(Text.from_ansi(text), soft_wrap=True, highlight=False)
