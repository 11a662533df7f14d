"""Files and directories that only their owner can reach."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OTHERS = 0o077
_POSIX = os.name == "posix"


def make_private(directory: Path) -> None:
    """Create a directory with mode 0700 unless it exists, and verify that it is private.

    Args:
        directory: its parents are created too, with the usual mode.

    Raises:
        UsageError: it cannot be created, is no directory, or others could get in.

    """
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            directory.mkdir(mode=0o700)
    except OSError as error:
        message = f"cannot create the directory {directory}: {error.strerror}"
        raise UsageError(message) from error
    check_private(directory)


def check_private(directory: Path) -> None:
    """Verify that a directory is ours alone: no link, owned by this user, mode 0700.

    Raises:
        UsageError: it is not; the message says what to do.

    """
    try:
        found = directory.lstat()
    except OSError as error:
        message = f"cannot use the directory {directory}: {error.strerror}"
        raise UsageError(message) from error
    if not stat.S_ISDIR(found.st_mode):
        message = f"{directory} must be a directory, not a file or a link to one: remove it"
        raise UsageError(message)
    if not _POSIX:
        return
    if found.st_uid not in {os.getuid(), 0}:
        message = (
            f"{directory} belongs to another user (uid {found.st_uid}), who could impersonate "
            "a master: remove it, or choose another place"
        )
        raise UsageError(message)
    if found.st_mode & _OTHERS:
        message = (
            f"{directory} is open to other users (mode {stat.S_IMODE(found.st_mode):o}): "
            f"run `chmod 700 {directory}`"
        )
        raise UsageError(message)


def read_private(path: Path) -> bytes:
    """Read a file that nobody else may read.

    Raises:
        FileNotFoundError: there is none.
        UsageError: others could have read or written it, or it cannot be read.

    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        raise
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}"
        raise UsageError(message) from error
    try:
        _check_file(path, os.fstat(descriptor))
    except UsageError:
        os.close(descriptor)
        raise
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def _check_file(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        message = f"{path} is no ordinary file: remove it"
        raise UsageError(message)
    if _POSIX and found.st_uid not in {os.getuid(), 0}:
        message = f"{path} belongs to another user (uid {found.st_uid}): remove it"
        raise UsageError(message)
    if _POSIX and found.st_mode & _OTHERS:
        message = (
            f"{path} is open to other users (mode {stat.S_IMODE(found.st_mode):o}): "
            f"run `chmod 600 {path}`, and replace it if somebody may have read it"
        )
        raise UsageError(message)


def write_private(path: Path, data: bytes) -> None:
    """Write a file with mode 0600, at once: a reader sees the old content or all of the new.

    Raises:
        UsageError: it cannot be written.

    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with suppress(FileNotFoundError):
            part.unlink()
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        message = f"cannot write {path}: {error.strerror}"
        raise UsageError(message) from error


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Keep other processes of ours out of a directory for the duration of a short change."""
    if not _POSIX:
        yield
        return
    import fcntl

    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        # A process forked meanwhile by another thread has the descriptor, too, and with it the lock.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)
