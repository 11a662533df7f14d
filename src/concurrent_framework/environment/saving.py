"""Backups of environments, also of running ones, and environments made from backups."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from concurrent_framework.environment.archive import BackupWriter, extract, verify_backup
from concurrent_framework.environment.creating import demand_free
from concurrent_framework.environment.databases import copied, is_database, is_side_file
from concurrent_framework.environment.environment import Environment
from concurrent_framework.environment.files import built_beside, sync_folder, telling
from concurrent_framework.environment.layout import CONFIG, TRANSIENT, Layout
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from concurrent_framework.environment.creating import Opener


def backup(environment: Environment, file: Path | None = None) -> Path:
    """Write an environment into one file, while it may be running; return the file.

    Databases are copied as of one moment. What was written is read back and compared before the
    file gets its name. It holds the environment's keys: only the owner may read it.

    Args:
        environment: what to save, but for ``run/`` and ``backups/``.
        file: where to; default: a new file in ``backups/``, named after the environment and time.

    Raises:
        UsageError: if the file exists, or its directory does not.
        ConcurrentError: if it cannot be written.

    """
    layout = environment.layout
    now = datetime.now(UTC)
    if file is None:
        with telling(f"write a backup in {layout.backups}"):
            layout.make_folders()
        file = layout.backups / f"{layout.root.name}-{now:%Y%m%d-%H%M%S-%f}.tar.gz"
    file = file.expanduser().resolve()
    if file.exists():
        message = f"{file} exists; choose another name"
        raise UsageError(message)
    if not file.parent.is_dir():
        message = f"there is no directory {file.parent}; make it first"
        raise UsageError(message)
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    with telling(f"write the backup {file}"):
        try:
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "wb") as stream:
                writer = BackupWriter(stream)
                _add_all(layout, writer, partial)
                writer.finish(environment.title, environment.version, now.isoformat())
                stream.flush()
                os.fsync(stream.fileno())
            verify_backup(partial)
            partial.rename(file)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        sync_folder(file.parent)
    environment.tell("backed_up", file)
    return file


def _add_all(layout: Layout, writer: BackupWriter, partial: Path) -> None:
    beside = partial.parent
    for path, name in _walk(layout.root, "", frozenset()):
        try:
            status = path.stat()
            if stat.S_ISDIR(status.st_mode):
                writer.add_folder(name, stat.S_IMODE(status.st_mode))
            elif stat.S_ISREG(status.st_mode) and path != partial:
                _add_file(path, name, writer, beside)
        except FileNotFoundError:
            continue  # it went away while the environment is running


def _walk(folder: Path, prefix: str, above: frozenset[Path]) -> Iterator[tuple[Path, str]]:
    """Yield what is in a folder with its path in the backup; links are followed, never in circles."""
    real = folder.resolve()
    if real in above:
        return
    for path in sorted(folder.iterdir()):
        if not prefix and path.name in TRANSIENT:
            continue
        if path.is_dir() and is_side_file(path):
            continue  # what is in it goes into the copy of its database
        name = f"{prefix}{path.name}"
        yield path, name
        if path.is_dir():
            yield from _walk(path, f"{name}/", above | {real})


def _add_file(path: Path, name: str, writer: BackupWriter, beside: Path) -> None:
    if is_database(path):
        with copied(path, beside) as copy:
            writer.add_file(name, copy)
    elif not is_side_file(path):
        with path.open("rb") as source:
            writer.add_file(name, source)


def restore(file: Path, path: Path, *, opener: Opener = Environment.open) -> Environment:
    """Make an environment from a backup, whole or not at all.

    Args:
        file: the backup.
        path: where to: a path that does not exist yet, or an empty directory.
        opener: opens it afterwards.

    Raises:
        UsageError: if there is something at the path, or the backup is damaged.
        ConcurrentError: if the disk is full, read-only or not ours.

    """
    root = path.expanduser().resolve()
    demand_free(root)
    with telling(f"restore {root}"):
        unpack(file.expanduser(), root)
    environment = opener(root)
    environment.tell("restored", file)
    return environment


def unpack(file: Path, root: Path) -> None:
    """Make the directory of an environment from a backup, whole or not at all."""
    with built_beside(root) as temporary:
        extract(file, temporary)
        if not (temporary / CONFIG).is_file():
            message = f"{file} is no backup of an environment: it has no {CONFIG}"
            raise UsageError(message)
        Layout(temporary).make_folders()
