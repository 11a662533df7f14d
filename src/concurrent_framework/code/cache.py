"""`CodeCache`: the code that has travelled to this machine, in a folder by its digest."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
from typing import TYPE_CHECKING

from concurrent_framework.code.blobs import BUNDLE, PICKLE
from concurrent_framework.code.loader import CodeError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path
    from zipfile import ZipFile

    from concurrent_framework.model.spec import CodeBlob

DEFAULT_LIMIT = 1024 * 1024 * 1024
MAX_UNPACKED_BYTES = 256 * 1024 * 1024
MAX_UNPACKED_FILES = 100_000

_DIGEST = re.compile(r"[0-9a-f]{64}")
_ARRIVING = "arriving-"


class CodeCache:
    """Keeps code blobs under a folder that belongs to one process.

    What an earlier process left there is removed: code is sent again to whoever greets the master.

    Args:
        directory: the folder; made if it is missing.
        limit: bytes on disk beyond which `trim` removes what was not used for longest.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from concurrent_framework.code.blobs import make_blob
        >>> blob = make_blob("pickle", b"any bytes")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     CodeCache(Path(folder)).add(blob).read_bytes()
        b'any bytes'

    """

    def __init__(self, directory: Path, limit: int = DEFAULT_LIMIT) -> None:
        self._directory = directory
        self._limit = limit
        self._sizes: dict[str, int] = {}
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for entry in directory.iterdir():
            if _DIGEST.fullmatch(entry.name) or entry.name.startswith(_ARRIVING):
                _remove(entry)

    def __contains__(self, digest: str) -> bool:
        """Whether the code of this digest is here."""
        return digest in self._sizes

    def add(self, blob: CodeBlob) -> Path:
        """Store a blob and return its path; storing it again costs nothing.

        Raises:
            CodeError: if it is not what its digest says, or would write outside of its folder.
            OSError: if the disk is full, for instance.

        """
        if blob.digest in self._sizes:
            return self.path(blob.digest)
        if hashlib.sha256(blob.data).hexdigest() != blob.digest:
            message = f"code {blob.digest[:12]!r} was damaged on its way here"
            raise CodeError(message)
        arriving = self._directory / f"{_ARRIVING}{blob.digest}"
        target = self._directory / blob.digest
        try:
            size = _unpack(blob, arriving)
            arriving.rename(target)
        except BaseException:
            _remove(arriving)
            raise
        self._sizes[blob.digest] = size
        return target

    def path(self, digest: str) -> Path:
        """Return where the code of a digest lies; it counts as used now.

        Raises:
            CodeError: if it is not here.

        """
        if digest not in self._sizes:
            message = f"the code {digest[:12]} is not on this machine"
            raise CodeError(message)
        self._sizes[digest] = self._sizes.pop(digest)
        return self._directory / digest

    def trim(self, in_use: Collection[str]) -> None:
        """Remove what was not used for longest and is not `in_use`, until the limit is kept."""
        total = sum(self._sizes.values())
        for digest in [digest for digest in self._sizes if digest not in in_use]:
            if total <= self._limit:
                return
            total -= self._sizes.pop(digest)
            _remove(self._directory / digest)


def _unpack(blob: CodeBlob, target: Path) -> int:
    if blob.kind == PICKLE:
        target.write_bytes(blob.data)
        return len(blob.data)
    if blob.kind != BUNDLE:
        message = f"code {blob.digest[:12]} is of the unknown kind {blob.kind!r}"
        raise CodeError(message)
    import io
    from zipfile import BadZipFile, ZipFile

    target.mkdir()
    try:
        with ZipFile(io.BytesIO(blob.data)) as archive:
            return _extract(archive, target)
    except BadZipFile as error:
        message = f"code {blob.digest[:12]} is no bundle: {error}"
        raise CodeError(message) from error


def _extract(archive: ZipFile, target: Path) -> int:
    entries = archive.infolist()
    total = sum(entry.file_size for entry in entries)
    if len(entries) > MAX_UNPACKED_FILES or total > MAX_UNPACKED_BYTES:
        message = f"a bundle of {len(entries)} files and {total} bytes is too large"
        raise CodeError(message)
    made: set[str] = set()
    for entry in entries:
        parts = entry.filename.split("/")
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if (
            any(part in ("", ".", "..") for part in parts)
            or any(os.sep in part or "\\" in part or ":" in part for part in parts)
            or kind not in (0, stat.S_IFREG)
        ):
            message = f"a bundle holds {entry.filename!r}, which leaves its folder or is no file"
            raise CodeError(message)
        folder = os.path.join(target, *parts[:-1])
        if folder not in made:
            os.makedirs(folder, exist_ok=True)
            made.add(folder)
        with open(os.path.join(folder, parts[-1]), "wb") as file:
            file.write(archive.read(entry))
    return total


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
