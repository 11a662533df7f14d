"""Databases that their program has for itself, as a running master has its journal."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from concurrent_framework.environment import Environment, backup, restore
from concurrent_framework.model.errors import ConcurrentError
from tests.environment.conftest import open_plain
from tests.store.stores import Place

if TYPE_CHECKING:
    from pathlib import Path

DATA = b"x" * 20_000


def check_saved_while_written(
    lab: Environment, copy: Path, data: bytes, *, ready: int, every: int, keep: int
) -> int:
    """Back up a journal that is written meanwhile, restore it and see that nothing is missing in it.

    The backup begins when `ready` entries are written; after each `every` of them the oldest are dropped but
    for `keep`. Returns how many entries were restored.
    """
    begun, over = threading.Event(), threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        with Place("sqlite-off", lab.layout.data).opened() as store:
            while not over.is_set():
                store.append(b"%d " % (written + 1) + data)
                written += 1
                if written == ready:
                    begun.set()
                if written > keep and written % every == 0:
                    store.replace(written - keep, b"")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert begun.wait(30)
        before = written
        saved = backup(lab)
    finally:
        over.set()
        writer.join()
    restored = restore(saved, copy, opener=open_plain)
    beside = {path.name for path in restored.layout.data.glob("journal.db?*")}
    assert not beside & {"journal.db-wal", "journal.db.large"}
    with Place("sqlite-off", restored.layout.data).opened() as store:
        numbers = [entry.number for entry in store.entries()]
        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        assert before <= numbers[-1] <= written
        assert all(entry.data == b"%d " % entry.number + data for entry in store.entries())
    return len(numbers)


def test_the_journal_of_a_running_master_is_saved_while_it_is_written(
    lab: Environment, tmp_path: Path
) -> None:
    # 300 are beyond the size at which the log is begun anew.
    check_saved_while_written(lab, tmp_path / "copy", DATA, ready=300, every=400, keep=100)


def test_so_is_one_with_large_entries_that_come_and_go(lab: Environment, tmp_path: Path) -> None:
    count = check_saved_while_written(lab, tmp_path / "copy", DATA * 10, ready=20, every=1, keep=10)
    assert count in {10, 11}


def test_one_that_has_lost_a_file_is_saved_as_it_is(lab: Environment, tmp_path: Path) -> None:
    with Place("sqlite", lab.layout.data).opened() as store:
        for number in range(3):
            store.append(b"%d" % number + DATA * 10)
    (lab.layout.data / "journal.db.large" / "2").unlink()
    restored = restore(backup(lab), tmp_path / "copy", opener=open_plain)
    store = Place("sqlite", restored.layout.data).make()
    assert "entry 2 has lost its file 2" in " ".join(store.open())
    assert [one.data for one in store.entries()] == [b"0" + DATA * 10]
    store.close()


def test_a_folder_that_only_looks_like_large_entries_is_saved(
    lab: Environment, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(lab.layout.data / "photos")) as database:
        database.execute("CREATE TABLE photos (name TEXT)")
        database.commit()
    (lab.layout.data / "photos.large").mkdir()
    (lab.layout.data / "photos.large" / "me.png").write_bytes(b"png")
    restored = restore(backup(lab), tmp_path / "copy", opener=open_plain)
    assert (restored.layout.data / "photos.large" / "me.png").read_bytes() == b"png"
    assert (restored.layout.data / "photos").is_file()


def exclusive(path: Path, mode: str) -> sqlite3.Connection:
    database = sqlite3.connect(path)
    database.execute("pragma locking_mode=exclusive")
    database.execute(f"pragma journal_mode={mode}")
    database.execute("create table numbers (number)")
    database.commit()
    return database


def test_one_that_changes_faster_than_it_is_copied_is_given_up(
    lab: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = lab.layout.data / "quick.db"
    copyfile = shutil.copyfile
    with closing(exclusive(path, "wal")) as database:

        def copy_and_begin_the_log_anew(source: Path, target: Path) -> None:
            copyfile(source, target)
            database.execute("insert into numbers values (1)")
            database.commit()
            database.execute("pragma wal_checkpoint(truncate)")

        monkeypatch.setattr(
            "concurrent_framework.environment.databases.shutil.copyfile",
            copy_and_begin_the_log_anew,
        )
        with pytest.raises(ConcurrentError, match=r"quick.db changes faster than it can be copied"):
            backup(lab)


def test_one_without_a_log_that_stays_locked_is_told(lab: Environment) -> None:
    with (
        closing(exclusive(lab.layout.data / "locked.db", "delete")),
        pytest.raises(ConcurrentError, match=r"cannot copy .*locked.db: database is locked"),
    ):
        backup(lab)
