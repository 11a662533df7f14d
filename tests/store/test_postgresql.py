"""A PostgreSQL server that goes away and comes back, and what people are told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from concurrent_framework.store import postgresql
from concurrent_framework.store.base import Entry, StoreError, StoreSize, StoreUnavailableError
from concurrent_framework.store.postgresql import PostgresqlEngine
from tests.store.stores import Place, place_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from concurrent_framework.store.base import IStore
    from tests.store.postgres import Server

END_CONNECTIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'concurrent'
"""


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return place_for("postgresql", tmp_path, request)


def numbered(store: IStore) -> dict[int, bytes]:
    return {entry.number: entry.data for entry in store.entries()}


def test_a_restart_of_the_server_goes_unnoticed(place: Place, postgres: Server) -> None:
    with place.opened() as store:
        store.append(b"one")
        postgres.stop()
        postgres.start()
        store.append(b"two")
        postgres.execute(END_CONNECTIONS)
        store.replace(1, b"three")
        postgres.execute(END_CONNECTIONS)
        assert store.oldest(100) == [Entry(2, b"two"), Entry(3, b"three")]
        assert store.size() == StoreSize(2, 8)


def test_a_journal_of_format_1_is_brought_up_to_date(place: Place, postgres: Server) -> None:
    with place.opened() as store:
        store.append(b"one")
    for change in (
        "ALTER TABLE concurrent_entries DROP COLUMN file, DROP COLUMN size",
        "UPDATE concurrent_facts SET value = '1' WHERE name = 'format'",
    ):
        postgres.execute(change, postgres.newest_schema)
    with place.opened() as store:
        store.append(b"two, ", b"in pieces")
        assert numbered(store) == {1: b"one", 2: b"two, in pieces"}
    found = postgres.execute("SELECT value FROM concurrent_facts", postgres.newest_schema)
    assert ("2",) in found


def test_a_server_that_is_down_is_told_until_it_is_back(place: Place, postgres: Server) -> None:
    with place.opened() as store:
        store.append(b"one")
        postgres.stop()
        try:
            for _ in range(2):
                with pytest.raises(StoreUnavailableError, match=r"cannot be written: .*connect"):
                    store.append(b"two")
                with pytest.raises(StoreUnavailableError):
                    store.replace(1, b"two")
                with pytest.raises(StoreUnavailableError, match="cannot be read"):
                    store.oldest(10)
        finally:
            postgres.start()
        store.append(b"two")
        assert numbered(store) == {1: b"one", 2: b"two"}


def unanswered(
    monkeypatch: pytest.MonkeyPatch, method: str, then: Callable[[], object] = lambda: None
) -> None:
    """Let the next call succeed and its connection break before the answer is there."""
    original = getattr(PostgresqlEngine, method)

    def call(self: Any, *arguments: Any) -> None:
        original(self, *arguments)
        monkeypatch.undo()
        self._driver.close()
        then()
        message = "the connection broke"
        raise psycopg.OperationalError(message)

    monkeypatch.setattr(PostgresqlEngine, method, call)


def test_an_entry_whose_answer_got_lost_is_there_once(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place.opened() as store:
        unanswered(monkeypatch, "append")
        store.append(b"one")
        store.append(b"two")
        assert numbered(store) == {1: b"one", 2: b"two"}


def test_an_entry_that_was_refused_is_not_there(
    place: Place, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place.opened() as store:
        store.append(b"one")
        unanswered(monkeypatch, "append", postgres.stop)
        try:
            with pytest.raises(StoreUnavailableError):
                store.append(b"refused")
        finally:
            postgres.start()
        assert numbered(store) == {1: b"one"}
        store.append(b"two")
        assert numbered(store) == {1: b"one", 2: b"two"}


def commit_without_answer(store: Any, then: Callable[[], object]) -> None:
    """Let the commit of the next transaction succeed and its answer get lost."""
    connection = store._tables.connection
    original = connection.exec_driver_sql

    def execute(statement: str) -> object:
        result = original(statement)
        if statement == "COMMIT":
            store._engine._driver.close()
            then()
            message = "the connection broke"
            raise psycopg.OperationalError(message)
        return result

    connection.exec_driver_sql = execute


def test_a_replacement_whose_answer_got_lost_is_made_once(place: Place) -> None:
    with place.opened() as store:
        for data in (b"one", b"two", b"three"):
            store.append(data)
        commit_without_answer(store, lambda: None)
        store.replace(2, b"rest")
        assert numbered(store) == {3: b"three", 4: b"rest"}
        assert store.size() == StoreSize(2, 9)


def test_a_replacement_that_was_refused_can_be_repeated(place: Place, postgres: Server) -> None:
    with place.opened() as store:
        for data in (b"one", b"two", b"three"):
            store.append(data)
        commit_without_answer(store, postgres.stop)
        try:
            with pytest.raises(StoreUnavailableError):
                store.replace(2, b"rest")
        finally:
            postgres.start()
        store.replace(2, b"rest")
        assert numbered(store) == {3: b"three", 4: b"rest"}
        assert store.size() == StoreSize(2, 9)
        store.replace(3, b"rest")
        assert numbered(store) == {4: b"rest", 5: b"rest"}


def test_whoever_lost_the_journal_writes_no_more(place: Place, postgres: Server) -> None:
    with place.opened() as store:
        store.append(b"one")
        postgres.execute(END_CONNECTIONS)
        with place.opened() as other:
            other.append(b"two")
        with pytest.raises(StoreError, match="was taken over by tester") as caught:
            store.append(b"mine")
        assert not isinstance(caught.value, StoreUnavailableError)
    with place.opened() as store:
        assert numbered(store) == {1: b"one", 2: b"two"}


def test_a_server_that_takes_nothing_is_told(place: Place) -> None:
    with place.opened() as store:
        connection = store._tables.connection  # type: ignore[attr-defined]
        connection.exec_driver_sql("SET default_transaction_read_only = on")
        with pytest.raises(StoreUnavailableError, match="read-only transaction"):
            store.append(b"one")
        connection.exec_driver_sql("SET default_transaction_read_only = off")
        store.append(b"one")
        assert numbered(store) == {1: b"one"}


def test_damage_is_set_aside_in_another_table(place: Place, postgres: Server) -> None:
    with place.opened() as store:
        for number in range(1, 6):
            store.append(b"%d" % number)
    schema = postgres.newest_schema
    postgres.execute("UPDATE concurrent_entries SET data = 'x' WHERE number = 3", schema)
    store = place.make()
    [told] = store.open()
    assert "(entry 3 has the wrong checksum): 2 entries were kept; 3 that followed" in told
    store.append(b"new")
    assert numbered(store) == {1: b"1", 2: b"2", 3: b"new"}
    store.close()
    table = told.rpartition("the table ")[2]
    assert postgres.execute(f"SELECT count(*) FROM {table}", schema) == [(5,)]
    with place.opened() as store:
        assert store.size().entries == 3


@pytest.mark.parametrize(("sync", "setting"), [("off", "off"), ("normal", "local"), ("full", "on")])
def test_the_level_of_safety_is_a_setting_of_the_session(
    place: Place, sync: str, setting: str
) -> None:
    place.settings.append(f"store.sync={sync}")
    with place.opened() as store:
        connection = store._tables.connection  # type: ignore[attr-defined]
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == setting


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (
            "postgresql://me:geheim@127.0.0.1:1/shop",
            "database 'shop' at 127.0.0.1 cannot be opened",
        ),
        ("postgresql:/me:geheim@localhost", "malformed: set store.url, as in postgresql://user@"),
        ("postgresql://me:geheim@host:port/shop", "malformed"),
        ("mysql://me:geheim@localhost/shop", "cannot use 'mysql'"),
        ("postgresql://127.0.0.1/shop?password=geheim&sslmode=geheim", "cannot be opened"),
    ],
)
def test_no_message_shows_the_password(url: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=message) as caught:
        Place("postgresql", tmp_path, url).make().open()
    error: BaseException | None = caught.value
    while error is not None:
        if "sslmode" not in url:
            assert "geheim" not in str(error)
        error = error.__cause__ or error.__context__


def test_no_url_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no database for the journal: set store\.url"):
        Place("postgresql", tmp_path).make().open()


def test_a_missing_driver_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "find_spec", lambda name: None)
    place = Place("postgresql", tmp_path, "postgresql://localhost/shop")
    with pytest.raises(StoreError, match=r"pip install 'concurrent-framework\[postgres\]'"):
        place.make().open()
