"""Files that are written whole or not at all, and disks that are full or read-only."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from concurrent_framework.model.errors import ConcurrentError

if TYPE_CHECKING:
    from collections.abc import Iterator

_ADVICE = {
    errno.ENOSPC: "make room on the disk and try again",
    errno.EDQUOT: "make room in your quota and try again",
    errno.EROFS: "the file system is read-only; choose another place",
    errno.EACCES: "see who owns it and who may write there",
    errno.EPERM: "see who owns it and who may write there",
}


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Turn an OSError in here into a ConcurrentError of one line.

    Args:
        what: what is being done, as in ``create /srv/lab``.

    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        place = f" ({error.filename})" if error.filename else ""
        advice = f"; {_ADVICE[error.errno]}" if error.errno in _ADVICE else ""
        message = f"cannot {what}: {reason}{place}{advice}"
        raise ConcurrentError(message) from None


def write_whole(path: Path, data: bytes, mode: int | None = None) -> None:
    """Write a file so that after a crash it has either the old content or the new one.

    Args:
        path: the file.
        data: its new content.
        mode: permissions; None keeps those it has, or those of a new file.

    """
    if mode is None:
        with suppress(FileNotFoundError):
            mode = path.stat().st_mode & 0o777
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with temporary.open("xb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable, where the file system can."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def built_beside(target: Path) -> Iterator[Path]:
    """Give a directory to be filled, which becomes the target only if all goes well.

    Args:
        target: a path that does not exist, or an empty directory; missing parents are made.

    """
    made = _make_parents(target.parent)
    try:
        temporary = Path(mkdtemp(prefix=f".{target.name}.", suffix=".new", dir=target.parent))
        try:
            yield temporary
            temporary.chmod(0o755)
            temporary.rename(target)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    except BaseException:
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        raise
    sync_folder(target.parent)


def _make_parents(folder: Path) -> list[Path]:
    """Make a folder and its missing parents; return those it made, the innermost first."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing
