"""`DataCache`: the shared objects that have travelled to this machine, a file each by their digest."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING

from concurrent_framework.code.loader import CodeError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from concurrent_framework.model.spec import CodeBlob


class DataCache:
    """Keeps shared objects in a folder that belongs to one process; what is left there goes.

    Processes that have opened a file go on using it when it is removed.

    Args:
        directory: the folder.

    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True, mode=0o700)

    def add(self, blob: CodeBlob) -> None:
        """Store an object; it is there as a whole or not at all.

        Raises:
            CodeError: if it is not what its digest says.
            OSError: if the disk is full, for instance.

        """
        if hashlib.sha256(blob.data).hexdigest() != blob.digest:
            message = f"the shared object {blob.digest[:12]!r} was damaged on its way here"
            raise CodeError(message)
        arriving = self._directory / "arriving"
        try:
            arriving.write_bytes(blob.data)
            arriving.rename(self.path(blob.digest))
        finally:
            arriving.unlink(missing_ok=True)

    def path(self, digest: str) -> Path:
        """Return where an object lies, or will lie."""
        return self._directory / digest

    def remove(self, digests: Iterable[str]) -> None:
        """Remove objects."""
        for digest in digests:
            self.path(digest).unlink(missing_ok=True)
