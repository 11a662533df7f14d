"""Stores of every kind, made again and again at the same place."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from concurrent_framework.components import Component, ComponentManager
from concurrent_framework.config import Config
from concurrent_framework.store.memory import MemoryContents, MemoryStore
from concurrent_framework.store.places import StorePlaces
from concurrent_framework.store.postgresql import PostgresqlStore
from concurrent_framework.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from concurrent_framework.store.base import Entry, IStore
    from tests.store.postgres import Server

KINDS = ["memory", "sqlite-off", "sqlite-normal", "sqlite-full", "postgresql"]
DURABLE = ["sqlite-normal", "sqlite-full", "postgresql"]


class Place:
    """Where stores of one kind are made, one after the other."""

    def __init__(self, kind: str, directory: Path, url: str = "") -> None:
        self.kind, _, level = kind.partition("-")
        self.directory = directory
        self.settings = [f"store.url={url}"] if url else []
        if level:
            self.settings.append(f"store.sync={level}")
        self._contents = MemoryContents()

    def make(self, owner: str = "tester") -> IStore:
        """Return a store that is not open yet."""
        manager = ComponentManager(Config.load(settings=self.settings))
        places = StorePlaces(self.directory, owner)
        if self.kind == "memory":
            return manager.create(MemoryStore, places, contents=self._contents)
        kinds: dict[str, type[Component]] = {"sqlite": SqliteStore, "postgresql": PostgresqlStore}
        store: IStore = manager.create(kinds[self.kind], places)  # type: ignore[assignment]
        return store

    @contextmanager
    def opened(self) -> Iterator[IStore]:
        """Open a store that finds nothing wrong, and close it at the end."""
        store = self.make()
        assert store.open() == ()
        yield store
        store.close()


def left_by_kill_9(kind: str, entries: Iterable[Entry], tmp_path: Path) -> Path:
    """Return the directory of a journal with these entries whose process was killed right after."""
    store = Place(kind, tmp_path / "alive").make()
    store.open()
    for entry in entries:
        store.append(entry.data)
    shutil.copytree(tmp_path / "alive", tmp_path / "data")
    store.close()
    return tmp_path / "data"


def place_for(kind: str, directory: Path, request: pytest.FixtureRequest) -> Place:
    """Return an empty place; the server is started only if it is needed."""
    if kind != "postgresql":
        return Place(kind, directory)
    server: Server = request.getfixturevalue("postgres")
    return Place(kind, directory, server.url(server.new_schema()))
