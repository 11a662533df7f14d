"""Full and read-only disks: nothing is half written, and it goes on when there is room again."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from concurrent_framework.store.base import Entry, StoreError, StoreUnavailableError
from tests.store.stores import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from concurrent_framework.store.base import IStore
    from tests.store.postgres import Server

DATA = b"0123456789" * 1000


class Disk:
    """A real file system of a few megabytes, in memory."""

    def __init__(self, path: Path, megabytes: int) -> None:
        path.mkdir()
        self.path = path
        self._ballast = path / "ballast"
        mounting = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(path)]
        if os.geteuid() != 0:
            pytest.skip("mounting a small file system needs root")
        if subprocess.run(mounting, capture_output=True, check=False).returncode:
            pytest.skip("mounting a small file system is not allowed here")

    def fill(self) -> None:
        with self._ballast.open("ab", buffering=0) as file:
            for size in (65536, 4096, 1):
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue

    def make_room(self) -> None:
        self._ballast.unlink()

    def make_read_only(self) -> None:
        subprocess.run(["mount", "-o", "remount,ro", self.path], check=True)

    def unmount(self) -> None:
        subprocess.run(["umount", "--lazy", self.path], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(tmp_path / "disk", 4)
    yield disk
    disk.unmount()


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Disk]:
    """A disk with room for a reserve."""
    disk = Disk(tmp_path / "large", 16)
    yield disk
    disk.unmount()


def fill(store: IStore) -> int:
    """Append until the store refuses; return how many entries it took."""
    for count in range(10_000):
        try:
            store.append(DATA)
        except StoreUnavailableError:
            return count
    pytest.fail("it never became full")


def good(count: int) -> list[Entry]:
    return [Entry(number, DATA) for number in range(1, count + 1)]


def test_a_full_disk_is_told_and_what_was_written_stays(disk: Disk) -> None:
    place = Place("sqlite", disk.path / "data")
    with place.opened() as store:
        store.append(DATA)
        disk.fill()
        count = 1 + fill(store)
        with pytest.raises(StoreUnavailableError, match=r"journal\.db cannot be written") as told:
            store.append(DATA * 10)
        assert told.value.__cause__ is not None
        assert list(store.entries()) == good(count)
        disk.make_room()
        store.append(DATA)
        assert list(store.entries()) == good(count + 1)
    with place.opened() as store:
        assert list(store.entries()) == good(count + 1)


def test_a_journal_that_fills_the_disk_itself_makes_room_by_replacing(large: Disk) -> None:
    with Place("sqlite", large.path / "data").opened() as store:
        count = fill(store)
        assert count > 100
        store.replace(20, DATA * 20)
        assert list(store.entries()) == [*good(count)[20:], Entry(count + 1, DATA * 20)]
        store.replace(count, b"rest")
        for _ in range(count - 20):
            store.append(DATA)
        assert store.size().entries == count - 18


def test_replacing_on_a_full_disk_does_all_or_nothing(disk: Disk) -> None:
    with Place("sqlite", disk.path / "data").opened() as store:
        for _ in range(20):
            store.append(DATA)
        disk.fill()
        with pytest.raises(StoreUnavailableError):
            store.replace(10, DATA * 200)
        assert list(store.entries()) == good(20)
        disk.make_room()
        store.replace(10, DATA)
        assert [one.number for one in store.entries()] == list(range(11, 22))


def test_a_journal_is_opened_though_the_disk_is_full(disk: Disk) -> None:
    crashed = Place("sqlite", disk.path / "alive").make()
    crashed.open()
    for _ in range(5):
        crashed.append(DATA)
    shutil.copytree(disk.path / "alive", disk.path / "data")
    crashed.close()
    disk.fill()
    with Place("sqlite", disk.path / "data").opened() as store:
        assert list(store.entries()) == good(5)


@pytest.mark.parametrize("kind", ["sqlite-normal", "sqlite-full"])
def test_a_large_entry_that_finds_no_room_leaves_nothing(large: Disk, kind: str) -> None:
    data = bytes(range(256)) * 4096
    with Place(kind, large.path / "data").opened() as store:
        store.append(DATA)
        store.append(data)
        large.fill()
        with pytest.raises(StoreUnavailableError, match="cannot be written: No space left"):
            store.append(data)
        assert [one.name for one in (large.path / "data" / "journal.db.large").iterdir()] == ["1"]
        store.replace(2, b"")
        store.append(data)
        assert list(store.entries()) == [Entry(3, data)]
        large.make_room()
        store.append(data)
        assert [one.number for one in store.entries()] == [3, 4]


def test_a_read_only_disk_is_told(disk: Disk) -> None:
    place = Place("sqlite", disk.path / "data")
    with place.opened() as store:
        store.append(DATA)
    disk.make_read_only()
    with pytest.raises(StoreUnavailableError, match="cannot be opened: Read-only file system"):
        place.make().open()


def test_a_limit_of_the_process_is_like_a_full_disk(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Place("sqlite", tmp_path).opened() as store:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
        try:
            count = fill(store)
            assert count > 10
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        store.append(DATA)
        assert list(store.entries()) == good(count + 1)


def test_a_place_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"cannot be opened: (Not a directory|File exists)"):
        Place("sqlite", tmp_path / "file" / "data").make().open()


def test_a_full_disk_of_postgresql_is_told(postgres: Server, tmp_path: Path) -> None:
    disk = Disk(postgres.directory / "small", 2)
    try:
        shutil.chown(disk.path, postgres.user)
        postgres.execute(f"CREATE TABLESPACE small LOCATION '{disk.path}'")
        url = postgres.url(postgres.new_schema())
        place = Place("postgresql", tmp_path, url + "%20-cdefault_tablespace%3Dsmall")
        with place.opened() as store:
            count = fill(store)
            assert count > 50
            store.replace(count // 2, b"")
            assert list(store.entries()) == good(count)[count // 2 :]
        postgres.execute(f"DROP SCHEMA {postgres.newest_schema} CASCADE")
        postgres.execute("DROP TABLESPACE small")
    finally:
        disk.unmount()
