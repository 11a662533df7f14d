"""Where a recorded run is read from: a recording, or the journal of a master that has ended."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from concurrent_framework.components import ComponentManager
from concurrent_framework.config import Config
from concurrent_framework.environment.layout import CONFIG
from concurrent_framework.launch.builtin import BUILTIN
from concurrent_framework.master import encoding
from concurrent_framework.master.node import MasterNode
from concurrent_framework.master.recording import (
    HEADER,
    LENGTH_BYTES,
    Frames,
    RecordingError,
    rows_of,
)
from concurrent_framework.model.errors import UsageError
from concurrent_framework.store.base import IStore
from concurrent_framework.store.places import StorePlaces
from concurrent_framework.store.slots import LARGE_SUFFIX
from concurrent_framework.store.sqlite import FILE, SqliteEngine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from concurrent_framework.components import Component
    from concurrent_framework.environment import Environment
    from concurrent_framework.master.recording import Row

SQLITE_HEADER = b"SQLite format 3\0"
SIDE_FILES = ("", "-wal")
JOURNAL = "journal"
"""The folder of the journal in the data of an environment."""


class Source(NamedTuple):
    """A recorded run.

    Args:
        path: the file, or the environment whose journal it is.
        journal: whether it is a journal, which forgets what it need not keep, and not a recording.

    """

    path: Path
    journal: bool


def find(path: Path, environment: Environment | None) -> Source:
    """Return what there is at a path: of an environment, its recording if it has one.

    Args:
        path: what the user has named.
        environment: opened, if the path is one.

    Raises:
        UsageError: there is nothing that could be simulated.

    """
    if environment is not None:
        return _of_environment(path, environment)
    if path.is_dir() and (path / FILE).is_file():
        path /= FILE
    if path.is_dir():
        message = f"{path} is no environment (it has no {CONFIG}) and holds no {FILE}"
        raise UsageError(message)
    try:
        with path.open("rb") as file:
            begin = file.read(len(HEADER))
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}"
        raise UsageError(message) from error
    if begin == HEADER:
        return Source(path, journal=False)
    if begin.startswith(SQLITE_HEADER):
        return Source(path, journal=True)
    message = (
        f"{path} is neither a recording (see master.record) nor a journal in SQLite: name one of"
        " these, or the directory of a master's environment"
    )
    raise UsageError(message)


def _of_environment(path: Path, environment: Environment) -> Source:
    directory = environment.layout.data / JOURNAL
    config = environment.components.config
    setting = config.value(MasterNode.record)
    if setting:
        recording = directory / Path(setting).expanduser()
        if recording.is_file():
            return find(recording, None)
    if config.value(MasterNode.store) == "memory":
        message = (
            f"the master of {path} keeps no journal and has recorded nothing: set master.record to"
            " the name of a file and launch it again"
        )
        raise UsageError(message)
    return Source(path, journal=True)


def read(source: Source, environment: Environment | None, notes: list[str]) -> Iterator[Row]:
    """Yield what was recorded.

    Args:
        source: what to read.
        environment: opened, if the source is one.
        notes: what people should know of it is added here.

    Raises:
        RecordingError: it is damaged, or of another version.
        StoreError: the journal cannot be opened.
        UsageError: it is in use.

    """
    if not source.journal:
        yield from _recording(source.path)
    elif environment is not None and source.path.is_dir():
        yield from _journal_of(environment, notes)
    else:
        yield from _journal(source.path, notes)


def _recording(path: Path) -> Iterator[Row]:
    frames = Frames()
    with path.open("rb") as file:
        file.seek(len(HEADER))
        while size := file.read(LENGTH_BYTES):
            length = int.from_bytes(size, "big")
            data = file.read(length)
            if len(size) < LENGTH_BYTES or len(data) < length:
                return  # a master that was killed, or that is still at work, has not written it whole
            try:
                yield from frames.decode(data)
            except RecordingError as error:
                message = f"{path}: {error}"
                raise RecordingError(message) from error


def _journal_of(environment: Environment, notes: list[str]) -> Iterator[Row]:
    """Read the journal as the environment's next master would."""
    components = environment.components
    directory = environment.layout.data / JOURNAL
    name = components.config.value(MasterNode.store)
    if name == "sqlite":
        setting = components.config.value(SqliteEngine.path)
        yield from _journal(Path(setting).expanduser() if setting else directory / FILE, notes)
        return
    component = cast("type[Component]", components.find(IStore, name))
    store = cast("IStore", components.create(component, StorePlaces(directory, "simulation")))
    with closing(store):
        notes += store.open()
        yield from _rows(store, notes)


def _journal(path: Path, notes: list[str]) -> Iterator[Row]:
    """Read a copy of a journal in SQLite, so that the original stays as it is."""
    if not path.is_file():
        message = f"there is no journal {path}: has the master ever been launched?"
        raise UsageError(message)
    _demand_unused(path)
    with tempfile.TemporaryDirectory(prefix="concurrent-") as name:
        copy = Path(name) / FILE
        for suffix in SIDE_FILES:
            original = path.with_name(path.name + suffix)
            if original.exists():
                shutil.copyfile(original, copy.with_name(copy.name + suffix))
        large = path.with_name(path.name + LARGE_SUFFIX)
        if large.is_dir():
            shutil.copytree(large, copy.with_name(copy.name + LARGE_SUFFIX))
        config = Config().replace({"store.path": str(copy)}, "simulation")
        components = ComponentManager(config, BUILTIN)
        store = components.get(IStore, "sqlite")
        with closing(store):
            if store.open():
                notes.append(f"the journal {path} is damaged: this is about what can be read of it")
            yield from _rows(store, notes)


def _rows(store: IStore, notes: list[str]) -> Iterator[Row]:
    first = 0
    for entry in store.entries():
        first = first or entry.number
        yield from rows_of(encoding.decode(entry.data))
    if first > 1:
        notes.append(
            "the journal has been shortened: tasks that were over are not in it any more; have the"
            " master record its work (master.record) to keep them all"
        )


def _demand_unused(path: Path) -> None:
    """Raise UsageError if a master has the journal: a copy would be torn."""
    lock = path.with_name(f"{path.name}.lock")
    if not lock.exists():
        return
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            message = (
                f"the journal {path} is in use: stop its master first, or have it record its work"
                " (master.record), which can be read at any time"
            )
            raise UsageError(message) from None
