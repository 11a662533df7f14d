"""Taking an endpoint: checks that ZeroMQ does not make, and errors that people understand."""

from __future__ import annotations

import errno
import os
import socket as sockets
import stat
import sys
from typing import TYPE_CHECKING

import zmq

from concurrent_framework.model.errors import UsageError
from concurrent_framework.security.private import check_private, locked

if TYPE_CHECKING:
    from pathlib import Path

IPC_LIMIT = 107 if sys.platform.startswith("linux") else 103
"""Bytes of a Unix socket's path at most."""


def check_ipc_path(path: Path) -> None:
    """Verify that a path is fit for a Unix socket.

    Raises:
        UsageError: it is too long, or not absolute.

    """
    size = len(os.fsencode(path))
    if size > IPC_LIMIT:
        message = (
            f"the path of the local endpoint has {size} bytes, {IPC_LIMIT} at most are possible: "
            f"{path} (choose a shorter directory, for example with XDG_RUNTIME_DIR)"
        )
        raise UsageError(message)
    if not path.is_absolute():
        message = f"the path of the local endpoint must be absolute: {path}"
        raise UsageError(message)


def bind_ipc(socket: zmq.Socket[bytes], path: Path) -> str:
    """Bind to a Unix socket in a private directory; that of a dead process is replaced.

    Returns:
        The endpoint, ``ipc:///…``.

    Raises:
        UsageError: the path is unfit, its directory is open to others, or somebody listens there.

    """
    check_ipc_path(path)
    check_private(path.parent)
    # ZeroMQ would take the path away from a living process: look and bind under one lock.
    with locked(path.parent):
        _make_room(path)
        try:
            socket.bind(f"ipc://{path}")
        except zmq.ZMQError as error:
            message = f"cannot listen on ipc://{path}: {error.strerror}"
            raise UsageError(message) from error
        path.chmod(0o600)
    return f"ipc://{path}"


def release_ipc(path: Path) -> None:
    """Remove the Unix socket of an endpoint that was closed; ZeroMQ leaves it behind."""
    try:
        with locked(path.parent):
            if not answers(path):
                path.unlink(missing_ok=True)
    except OSError:
        return  # its directory is gone already


def bind_tcp(socket: zmq.Socket[bytes], endpoint: str) -> str:
    """Bind to ``tcp://host:port``, port ``*`` or 0 for any free one.

    Returns:
        The endpoint with the port that was taken.

    Raises:
        UsageError: the endpoint is malformed, not of this machine, or taken.

    """
    host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
    known = port in {"*", "0"} or (port.isdecimal() and int(port) < 65536)
    if not endpoint.startswith("tcp://") or not host or not known:
        message = (
            f"{endpoint!r} is no endpoint to listen on: expected tcp://HOST:PORT, "
            "as in tcp://0.0.0.0:8081"
        )
        raise UsageError(message)
    if host.startswith("["):
        socket.setsockopt(zmq.IPV6, 1)
    try:
        socket.bind(f"tcp://{host}:{'*' if port == '0' else port}")
    except zmq.ZMQError as error:
        raise UsageError(_why(endpoint, host, error)) from error
    return socket.getsockopt_string(zmq.LAST_ENDPOINT)


def _make_room(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        message = f"cannot listen on ipc://{path}: a file of that name is in the way, remove it"
        raise UsageError(message)
    if answers(path):
        message = (
            f"another process listens on ipc://{path}: stop it, or choose another name or place"
        )
        raise UsageError(message)
    path.unlink()


def answers(path: Path) -> bool:
    """Whether a process listens on a Unix socket."""
    with sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM) as probe:
        probe.settimeout(0)
        try:
            probe.connect(str(path))
        except BlockingIOError:
            return True
        except OSError:
            return False
    return True


def _why(endpoint: str, host: str, error: zmq.ZMQError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"another process listens on {endpoint}; choose another port with --listen, or stop it"
        )
    if error.errno in {errno.EADDRNOTAVAIL, errno.ENODEV, errno.EINVAL}:
        return (
            f"cannot listen on {endpoint}: {host} is no address of this machine "
            "(0.0.0.0 stands for all of them)"
        )
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"cannot listen on {endpoint}: this user may not; choose a port of 1024 or higher"
    return f"cannot listen on {endpoint}: {error.strerror}"
