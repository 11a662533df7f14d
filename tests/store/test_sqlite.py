"""Where the SQLite journal is, who may see it, and what it costs to have it there."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from concurrent_framework.components import ComponentManager
from concurrent_framework.config import Config
from concurrent_framework.launch.builtin import BUILTIN
from concurrent_framework.launch.components import components_for
from concurrent_framework.model.errors import UsageError
from concurrent_framework.store.base import IStore, StoreError
from concurrent_framework.store.engine import IDatabaseEngine
from concurrent_framework.store.sqlite import SqliteStore
from tests.store.stores import Place


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    with Place("sqlite", directory).opened() as store:
        store.append(b"secret")
        assert directory.stat().st_mode & 0o777 == 0o700
        names = {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir()}
        assert names == dict.fromkeys(
            ("journal.db", "journal.db-wal", "journal.db.lock", "journal.db.reserve"), 0o600
        )


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / "journal.db").touch(0o644)
    with Place("sqlite", tmp_path).opened():
        assert (tmp_path / "journal.db").stat().st_mode & 0o777 == 0o600


def test_the_configuration_says_where_it_is(tmp_path: Path) -> None:
    place = Place("sqlite", tmp_path / "unused")
    place.settings.append(f"store.path={tmp_path}/elsewhere/my.db")
    with place.opened() as store:
        store.append(b"one")
    assert (tmp_path / "elsewhere" / "my.db").exists()
    assert not (tmp_path / "unused").exists()


def test_without_a_place_it_says_what_to_set() -> None:
    with pytest.raises(StoreError, match=r"set store\.path"):
        SqliteStore().open()


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    connection.execute("CREATE TABLE photos (name TEXT)")
    connection.close()
    before = (tmp_path / "journal.db").read_bytes()
    with pytest.raises(StoreError, match="is a database of something else"):
        Place("sqlite", tmp_path).make().open()
    assert (tmp_path / "journal.db").read_bytes() == before


def test_another_program_that_has_the_file_is_told(tmp_path: Path) -> None:
    with Place("sqlite", tmp_path).opened() as store:
        store.append(b"one")
    other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="cannot be opened: database is locked"):
        Place("sqlite", tmp_path).make().open()
    other.close()
    with Place("sqlite", tmp_path).opened() as store:
        assert store.size().entries == 1


@pytest.mark.parametrize(("sync", "level"), [("off", 0), ("normal", 1), ("full", 2)])
def test_the_level_of_safety_is_one_of_sqlites(tmp_path: Path, sync: str, level: int) -> None:
    with Place(f"sqlite-{sync}", tmp_path).opened() as store:
        connection = store._tables.connection  # type: ignore[attr-defined]
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == level
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_a_file_that_was_large_once_becomes_small(tmp_path: Path) -> None:
    file = tmp_path / "journal.db"
    with Place("sqlite-off", tmp_path).opened() as store:
        for _ in range(2800):
            store.append(bytes(30_000))
        store.replace(2799, b"")
        store.append(b"new")
        assert [len(one.data) for one in store.entries()] == [30_000, 3]
        assert file.stat().st_size < 10 * 1024 * 1024


def test_stores_and_engines_are_selected_by_name() -> None:
    components = ComponentManager(components=BUILTIN)
    assert components.names(IStore) == ["memory", "sqlite", "postgresql"]
    assert components.names(IDatabaseEngine) == ["sqlite", "postgresql"]
    assert isinstance(components.get(IStore, "sqlite"), SqliteStore)


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(UsageError, match=r'store\.sync = fast: expected "off" or "normal"'):
        components_for(Config.load(settings=["store.sync=fast"]))


def test_the_url_with_its_password_is_not_listed() -> None:
    url = "postgresql://me:geheim@localhost/shop"
    components = components_for(Config.load(settings=[f"store.url={url}"]))
    [row] = [one for one in components.describe_options() if one.key == "url"]
    assert row.value == "(not shown)"


def test_declaring_the_options_loads_no_database() -> None:
    code = (
        "import sys; import concurrent_framework.store.sqlite; "
        "import concurrent_framework.store.postgresql; "
        "print([m for m in ('sqlalchemy', 'psycopg') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
