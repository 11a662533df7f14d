"""A ZeroMQ context with its sockets and monitors, closed together and in order."""

from __future__ import annotations

import os
import weakref
from typing import Any

import zmq

from concurrent_framework.transport.framing import Tuning, tune
from concurrent_framework.transport.watching import Monitor


class Plumbing:
    """What a transport is made of.

    Args:
        owner: the transport. When it is collected without having been closed, this closes:
            garbage collection may end a context before its sockets, and would wait for ever.

    """

    def __init__(self, owner: object) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._sockets: list[zmq.Socket[bytes]] = []
        self._monitors: list[Monitor] = []
        self._maker = os.getpid()
        self._abandoned = weakref.finalize(
            owner, _close, self._maker, self._context, self._sockets, self._monitors, 0
        )
        self._abandoned.atexit = False

    def socket(self, kind: int, tuning: Tuning) -> zmq.Socket[bytes]:
        """Return a new socket with our options."""
        socket = self._context.socket(kind)
        self._sockets.append(socket)
        tune(socket, tuning)
        return socket

    def watch(self, socket: zmq.Socket[bytes], kinds: int) -> Monitor:
        """Return a monitor of a socket that has not connected or been bound yet."""
        monitor = Monitor(socket, kinds)
        self._monitors.append(monitor)
        return monitor

    def close(self, linger: float) -> bool:
        """Close all, after up to `linger` seconds for what is queued; False if all was closed."""
        if self._abandoned.detach() is None:
            return False
        milliseconds = round(linger * 1000)
        _close(self._maker, self._context, self._sockets, self._monitors, milliseconds)
        return True


def _close(
    maker: int,
    context: zmq.Context[Any],
    sockets: list[zmq.Socket[bytes]],
    monitors: list[Monitor],
    linger: int,
) -> None:
    if os.getpid() != maker:
        return  # a forked child shares the descriptors: closing here would disturb the parent
    for monitor in monitors:
        monitor.close()
    for socket in sockets:
        socket.close(linger)
    context.term()
