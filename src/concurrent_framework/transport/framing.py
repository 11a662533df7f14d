"""Frames in and out of a ZeroMQ socket: what is copied, what is shared, and the sockets' limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import zmq
from zmq import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COPY_LIMIT = 64 * 1024
"""Frames up to this many bytes are copied, which is cheaper than sharing their memory."""
NO_COPY = False
"""Second argument of a socket's `recv`, to get at the memory instead of a copy."""
NOBLOCK = int(zmq.NOBLOCK)
MORE = NOBLOCK | int(zmq.SNDMORE)
LOCAL_BUFFER = 1 << 20
"""Bytes that the system may keep of what one process writes until the other reads it."""
_ENVELOPE = 64
"""Bytes that encryption adds to a frame, rounded up."""
_EVENTS = int(zmq.EVENTS)
_POLLIN = int(zmq.POLLIN)


class Tuning(NamedTuple):
    """Limits of a connection.

    Args:
        max_frame: bytes of one frame at most; who sends more is disconnected.
        queue: envelopes that wait in each direction of one connection at most.
        silence: seconds after which a peer that the network no longer reaches is given up, >= 1.

    """

    max_frame: int = 1 << 30
    queue: int = 1000
    silence: float = 10.0


STANDARD = Tuning()


def tune(socket: zmq.Socket[bytes], tuning: Tuning) -> None:
    """Set the options that every socket of ours has."""
    silence = max(1, round(tuning.silence))
    probe = max(1, silence // 4)
    socket.setsockopt(zmq.SNDHWM, tuning.queue)
    socket.setsockopt(zmq.RCVHWM, tuning.queue)
    socket.setsockopt(zmq.MAXMSGSIZE, tuning.max_frame + _ENVELOPE)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.HANDSHAKE_IVL, 5000)
    socket.setsockopt(zmq.TCP_KEEPALIVE, 1)
    socket.setsockopt(zmq.TCP_KEEPALIVE_IDLE, probe)
    socket.setsockopt(zmq.TCP_KEEPALIVE_INTVL, probe)
    socket.setsockopt(zmq.TCP_KEEPALIVE_CNT, 3)
    socket.setsockopt(zmq.TCP_MAXRT, silence * 1000)


def tune_local(socket: zmq.Socket[bytes]) -> None:
    """Set the options of a socket that connects processes of one machine."""
    socket.setsockopt(zmq.SNDBUF, LOCAL_BUFFER)


def readable(socket: zmq.Socket[bytes]) -> bool:
    """Whether a socket has something to receive."""
    return bool(int(socket.get(_EVENTS)) & _POLLIN)


def take(frame: Any, receive: Callable[..., Any]) -> list[Any]:
    """Return all frames of an envelope whose first is here, small ones as bytes.

    Args:
        frame: the first, not copied.
        receive: the socket's `recv`.

    """
    frames = [frame.bytes if len(frame) <= COPY_LIMIT else frame.buffer]
    while frame.more:
        frame = receive(NOBLOCK, NO_COPY)
        frames.append(frame.bytes if len(frame) <= COPY_LIMIT else frame.buffer)
    return frames


def put(send: Callable[..., Any], frames: Sequence[Any]) -> None:
    """Send an envelope without waiting; large frames without a copy.

    Raises:
        zmq.Again: the queue is full; nothing was sent.

    """
    if len(frames) > 1:
        for frame in frames[:-1]:
            send(frame if len(frame) <= COPY_LIMIT else _shared(frame), MORE)
    last = frames[-1]
    send(last if len(last) <= COPY_LIMIT else _shared(last), NOBLOCK)


def _shared(data: Any) -> Frame:
    """Wrap memory so that it travels without a copy; memory that came from ZeroMQ as it is."""
    if isinstance(data, memoryview) and isinstance(data.obj, Frame):
        origin = data.obj
        if len(origin) == data.nbytes:
            return origin
    return Frame(data, copy=False, copy_threshold=0)
