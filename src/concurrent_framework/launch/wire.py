"""How a node and its template process talk: length-prefixed messages with file descriptors."""

from __future__ import annotations

import os
import socket
import struct
from array import array
from typing import Any, Generic, TypeVar

import msgspec

MAX_FDS = 16
_LENGTH = struct.Struct("<I")
_CONTROL_SIZE = socket.CMSG_SPACE(MAX_FDS * array("i").itemsize)

M = TypeVar("M")


class Channel(Generic[M]):
    """One end of a stream socket that carries messages of the union `incoming`."""

    def __init__(self, sock: socket.socket, incoming: Any) -> None:
        self.socket = sock
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder: msgspec.msgpack.Decoder[M] = msgspec.msgpack.Decoder(incoming)

    def send(self, message: msgspec.Struct, fds: list[int]) -> None:
        """Send one message; raises OSError when the other end is gone."""
        body = self._encoder.encode(message)
        data = _LENGTH.pack(len(body)) + body
        sent = socket.send_fds(self.socket, [data], fds) if fds else self.socket.send(data)
        if sent < len(data):
            self.socket.sendall(data[sent:])

    def receive(self, *, wait: bool) -> tuple[M, list[int]] | None:
        """Return a message and its file descriptors, None if there is none (with wait=False).

        Raises EOFError when the other end is closed.
        """
        flags = 0 if wait else socket.MSG_DONTWAIT
        try:
            # Not socket.recv_fds, which forgets its flags.
            head, controls, _, _ = self.socket.recvmsg(_LENGTH.size, _CONTROL_SIZE, flags)
        except BlockingIOError:
            return None
        except ConnectionError as error:
            raise EOFError from error
        fds = _fds_in(controls)
        for fd in fds:
            os.set_inheritable(fd, False)  # noqa: FBT003 (not ours)
        head += self._exactly(_LENGTH.size - len(head)) if head else b""
        if not head:
            raise EOFError
        (length,) = _LENGTH.unpack(head)
        return self._decoder.decode(self._exactly(length)), fds

    def _exactly(self, count: int) -> bytes:
        parts = b""
        while len(parts) < count:
            part = self.socket.recv(count - len(parts))
            if not part:
                raise EOFError
            parts += part
        return parts


def _fds_in(controls: list[tuple[int, int, bytes]]) -> list[int]:
    fds = array("i")
    for level, kind, data in controls:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
    return fds.tolist()
