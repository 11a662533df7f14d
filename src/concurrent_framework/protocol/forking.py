"""Messages between a node and its template process, which forks children for it; and the port."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Fork(Struct, array_like=True, tag=70, gc=False):
    """Node to template: start a child; the file descriptors come beside the message."""

    request: int
    kind: str
    arguments: dict[str, Any]


class Kill(Struct, array_like=True, tag=71, gc=False):
    """Node to template: end this child and everything it started, at once."""

    pid: int


class Started(Struct, array_like=True, tag=72, gc=False):
    """Template to node: the child of this request runs."""

    request: int
    pid: int


class NotStarted(Struct, array_like=True, tag=73, gc=False):
    """Template to node: there is no child for this request; `reason` is a sentence."""

    request: int
    reason: str


class Exited(Struct, array_like=True, tag=74, gc=False):
    """Template to node: a child has ended.

    Args:
        pid: the child.
        exit_code: how it exited, None if a signal ended it.
        signal: the signal that ended it, 0 if it exited.
        peak_memory: bytes of resident memory it used at most, 0 if unknown.

    """

    pid: int
    exit_code: int | None
    signal: int = 0
    peak_memory: int = 0


ToTemplate = Fork | Kill
FromTemplate = Started | NotStarted | Exited


class Forker(Protocol):
    """What managers and masters need of a template process. Nothing here blocks."""

    def fork(self, kind: str, arguments: Mapping[str, Any], fds: Sequence[int] = ()) -> int:
        """Ask for a child; return the request's number. The caller still owns `fds`."""

    def fileno(self) -> int:
        """Return a file descriptor that is readable when `collect` has something to tell."""

    def collect(self) -> list[Started | NotStarted | Exited]:
        """Return what happened since the last call."""

    def kill(self, pid: int) -> None:
        """End a child and its whole session; its `Exited` follows. Unknown pids are ignored."""
