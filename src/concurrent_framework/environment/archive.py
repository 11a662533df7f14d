"""The backup file: a compressed tar archive that ends with a manifest of what is in it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import stat
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

MANIFEST = "MANIFEST.json"
FORMAT = 1
_CHUNK = 1 << 20


class Manifest(NamedTuple):
    """What a backup says of itself.

    Args:
        format: version of the archive's form.
        name: what people call the environment.
        version: version of the environment.
        created: when, as ISO 8601 in UTC.
        files: SHA-256, lower-case hex, of each file by its path in the environment.

    """

    format: int
    name: str
    version: int
    created: str
    files: dict[str, str]


class BackupWriter:
    """Writes an archive, file by file.

    Args:
        stream: where to.

    """

    def __init__(self, stream: BinaryIO) -> None:
        self._zip = gzip.GzipFile(fileobj=stream, mode="wb", mtime=0)
        self._tar = tarfile.TarFile(fileobj=self._zip, mode="w", format=tarfile.PAX_FORMAT)
        self._files: dict[str, str] = {}

    def add_folder(self, path: str, mode: int) -> None:
        """Add a folder, which may stay empty."""
        member = tarfile.TarInfo(path)
        member.type, member.mode = tarfile.DIRTYPE, mode
        self._tar.addfile(member)

    def add_file(self, path: str, source: BinaryIO) -> None:
        """Add a file as it is now: as many bytes as it has, even if it grows meanwhile."""
        status = os.fstat(source.fileno())
        member = tarfile.TarInfo(path)
        member.size, member.mode = status.st_size, stat.S_IMODE(status.st_mode)
        member.mtime = int(status.st_mtime)
        reader = _Hashing(source, status.st_size)
        self._tar.addfile(member, reader)  # type: ignore[arg-type]
        self._files[path] = reader.digest()

    def finish(self, name: str, version: int, created: str) -> None:
        """Write the manifest and end the archive."""
        manifest = Manifest(FORMAT, name, version, created, self._files)
        data = json.dumps(manifest._asdict(), indent=1).encode()
        member = tarfile.TarInfo(MANIFEST)
        member.size, member.mode = len(data), 0o600
        self._tar.addfile(member, io.BytesIO(data))
        self._tar.close()
        self._zip.close()


class _Hashing:
    """Reads exactly so many bytes, zeros if the file has become shorter, and hashes them."""

    def __init__(self, source: BinaryIO, size: int) -> None:
        self._source = source
        self._left = size
        self._hash = hashlib.sha256()

    def read(self, size: int) -> bytes:
        wanted = min(size, self._left)
        data = self._source.read(wanted)
        data += bytes(wanted - len(data))
        self._left -= len(data)
        self._hash.update(data)
        return data

    def digest(self) -> str:
        return self._hash.hexdigest()


def verify_backup(file: Path) -> Manifest:
    """Read a backup from end to end and return its manifest.

    Raises:
        UsageError: if it is truncated, damaged, no backup, or has paths that leave its folder.

    """
    return _read(file, None)


def extract(file: Path, target: Path) -> Manifest:
    """Write what is in a backup into an empty directory; raises as `verify_backup` does."""
    return _read(file, target)


def _read(file: Path, target: Path | None) -> Manifest:
    if not file.is_file():
        message = f"there is no backup {file}"
        raise UsageError(message)
    found: dict[str, str] = {}
    folders: dict[Path, int] = {}
    manifest: Manifest | None = None
    try:
        with tarfile.open(file, "r:gz") as archive:
            for member in archive:
                if manifest is not None:
                    raise _damaged(file, "something follows its manifest")
                if member.name == MANIFEST:
                    manifest = _manifest(file, archive, member)
                    continue
                _demand_inside(file, member)
                if not member.isdir():
                    found[member.name] = _copy(archive, member, target)
                elif target is not None:
                    (target / member.name).mkdir(parents=True, exist_ok=True)
                    folders[target / member.name] = member.mode & 0o777
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        raise _damaged(file, str(error)) from None
    if manifest is None:
        raise _damaged(file, "its end is missing")
    if found != manifest.files:
        wrong = {path for path, _ in found.items() ^ manifest.files.items()}
        raise _damaged(file, f"{min(wrong)} is not what its manifest says")
    for folder, mode in folders.items():
        folder.chmod(mode)
    return manifest


def _damaged(file: Path, why: str) -> UsageError:
    return UsageError(f"{file} is no whole backup: {why}; nothing was restored from it")


def _manifest(file: Path, archive: tarfile.TarFile, member: tarfile.TarInfo) -> Manifest:
    stream = archive.extractfile(member)
    if stream is None:
        raise _damaged(file, "its manifest is no file")
    content: Any = json.load(stream)
    try:
        manifest = Manifest(**content)
    except TypeError:
        raise _damaged(file, "its manifest is of another kind") from None
    if manifest.format != FORMAT:
        message = f"{file} is a backup of format {manifest.format}; install a newer version"
        raise UsageError(message)
    return manifest


def _demand_inside(file: Path, member: tarfile.TarInfo) -> None:
    """Refuse what an honest backup never holds."""
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\\" in member.name:
        message = (
            f"{file} holds {member.name!r}, a path that leaves the folder; nothing was restored"
        )
        raise UsageError(message)
    if not (member.isreg() or member.isdir()):
        message = f"{file} holds {member.name!r}, neither file nor folder; nothing was restored"
        raise UsageError(message)


def _copy(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path | None) -> str:
    """Read a file of the archive, write it if there is a target, and return its SHA-256."""
    stream = archive.extractfile(member)
    assert stream is not None
    digest = hashlib.sha256()
    if target is None:
        for data in _chunks(stream):
            digest.update(data)
        return digest.hexdigest()
    path = target / member.name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        os.fchmod(file.fileno(), member.mode & 0o777)
        for data in _chunks(stream):
            digest.update(data)
            file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _chunks(stream: Any) -> Iterator[bytes]:
    while data := stream.read(_CHUNK):
        yield data
