"""The format of the journal: files of each version are kept, read, and brought up to date.

`journal-0.db` is of a version that never was, whose entries had no checksums. It shows the path
that a change of the format takes.
"""

from __future__ import annotations

import shutil
import sqlite3
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from sqlalchemy import Connection

from concurrent_framework.store.base import Entry, StoreError
from concurrent_framework.store.places import StorePlaces
from concurrent_framework.store.sqlite import SqliteStore
from concurrent_framework.store.tables import FORMAT
from tests.architecture.source import ROOT
from tests.store.stores import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Migration = Callable[[Connection], None]

GOLDEN = ROOT / "tests" / "golden"
EXPECTED = [Entry(3, b"three"), Entry(4, bytes(range(256))), Entry(5, b""), Entry(6, b"1 and 2")]
LARGE = Entry(7, bytes(range(256)) * 128)


def add_checksums(connection: Connection) -> None:
    """Change tables of version 0 to those of version 1."""
    connection.exec_driver_sql(
        "ALTER TABLE concurrent_entries ADD COLUMN crc32 BIGINT NOT NULL DEFAULT 0"
    )
    rows = connection.exec_driver_sql("SELECT number, data FROM concurrent_entries").all()
    for number, data in rows:
        connection.exec_driver_sql(
            "UPDATE concurrent_entries SET crc32 = ? WHERE number = ?", (zlib.crc32(data), number)
        )


class OlderStore(SqliteStore):
    """Knows how to go on from version 0."""

    name = "sqlite"
    migrations: ClassVar[Mapping[int, Migration]] = {0: add_checksums, **SqliteStore.migrations}


@pytest.fixture
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    golden = GOLDEN / f"journal-{request.param}.db"
    large = golden.with_name(f"{golden.name}.large")
    if large.exists():
        shutil.copytree(large, tmp_path / "journal.db.large")
    return Path(shutil.copy(golden, tmp_path / "journal.db"))


@pytest.mark.parametrize("file", [1], indirect=True)
def test_a_journal_of_format_1_is_read_and_goes_on(file: Path) -> None:
    with Place("sqlite", file.parent).opened() as store:
        assert list(store.entries()) == EXPECTED
        store.append(LARGE.data)
    with Place("sqlite", file.parent).opened() as store:
        assert list(store.entries()) == [*EXPECTED, LARGE]


@pytest.mark.parametrize("file", [2], indirect=True)
def test_a_journal_of_format_2_is_read(file: Path) -> None:
    with Place("sqlite", file.parent).opened() as store:
        assert list(store.entries()) == [*EXPECTED, LARGE]


def schema(file: Path) -> set[str]:
    connection = sqlite3.connect(file)
    found = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {" ".join(one.split()) for (one,) in found}


def rows(file: Path) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(file)
    found = connection.execute("SELECT crc32, data, file, size FROM concurrent_entries").fetchall()
    connection.close()
    return found


@pytest.mark.parametrize("file", [2], indirect=True)
def test_what_is_written_today_has_the_newest_golden_format(file: Path, tmp_path: Path) -> None:
    today = tmp_path / "new" / "journal.db"
    with Place("sqlite", today.parent).opened() as store:
        for entry in (*EXPECTED, LARGE):
            store.append(entry.data)
    assert schema(today) == schema(file)
    assert rows(today) == rows(file)
    assert Path(f"{today}.large", "1").read_bytes() == Path(f"{file}.large", "1").read_bytes()
    assert FORMAT == 2


@pytest.mark.parametrize("file", [0], indirect=True)
def test_an_older_journal_is_brought_up_to_date(file: Path) -> None:
    for _ in range(2):
        store = OlderStore(StorePlaces(file.parent))
        assert store.open() == ()
        assert list(store.entries()) == EXPECTED
        store.close()
    with Place("sqlite", file.parent).opened() as today:
        today.append(b"new")
        assert list(today.entries()) == [*EXPECTED, Entry(7, b"new")]


def fail(connection: Connection) -> None:
    connection.exec_driver_sql("DELETE FROM concurrent_entries")
    raise RuntimeError


class FailingStore(SqliteStore):
    name = "sqlite"
    migrations: ClassVar[Mapping[int, Migration]] = {0: fail}


@pytest.mark.parametrize("file", [0], indirect=True)
def test_a_change_of_format_is_made_whole_or_not_at_all(file: Path) -> None:
    with pytest.raises(RuntimeError):
        FailingStore(StorePlaces(file.parent)).open()
    store = OlderStore(StorePlaces(file.parent))
    assert store.open() == ()
    assert list(store.entries()) == EXPECTED
    store.close()


@pytest.mark.parametrize("file", [2], indirect=True)
def test_a_newer_journal_is_refused(file: Path) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("UPDATE concurrent_facts SET value = '7' WHERE name = 'format'")
    connection.close()
    before = file.read_bytes()
    with pytest.raises(StoreError, match=r"has format 7, of a newer .* knows formats up to 2"):
        Place("sqlite", file.parent).make().open()
    assert file.read_bytes() == before
    assert not list(file.parent.glob("*damaged*"))


@pytest.mark.parametrize("file", [0], indirect=True)
def test_a_journal_that_nothing_can_read_is_left_alone(file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(StoreError, match="has format 0, which nothing here can read"):
        Place("sqlite", file.parent).make().open()
    assert file.read_bytes() == before


def test_there_is_a_way_from_every_format() -> None:
    assert sorted(SqliteStore.migrations) == list(range(1, FORMAT))
