"""Large entries of a journal in SQLite: in files beside the database, which come and go with them."""

from __future__ import annotations

import random
import shutil
import sqlite3
from errno import ENOSPC
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from concurrent_framework.store.base import Entry, StoreUnavailableError
from concurrent_framework.store.checkpoints import PAGE
from concurrent_framework.store.large import LargeEntries
from concurrent_framework.store.slots import SlotFiles
from tests.store.stores import Place, left_by_kill_9

if TYPE_CHECKING:
    from collections.abc import Iterable

SIZE = 300_000
COUNT = 6


def data(number: int) -> bytes:
    """Return the data of an entry: every third is small."""
    size = 100 if number % 3 == 0 else SIZE
    return (b"%09d " % number) * (size // 10)


GOOD = [Entry(number, data(number)) for number in range(1, COUNT + 1)]


def files(directory: Path) -> list[Path]:
    return sorted((directory / "journal.db.large").glob("*"))


@pytest.fixture
def crashed(tmp_path: Path) -> Path:
    """The directory of a journal after kill -9: files 1, 2, 3, 4 have entries 1, 2, 4, 5."""
    return left_by_kill_9("sqlite", GOOD, tmp_path)


def test_they_are_in_private_files(tmp_path: Path) -> None:
    with Place("sqlite", tmp_path).opened() as store:
        for entry in GOOD:
            store.append(entry.data)
        assert (tmp_path / "journal.db.large").stat().st_mode & 0o777 == 0o700
        assert [(one.name, one.stat().st_mode & 0o777) for one in files(tmp_path)] == [
            (name, 0o600) for name in "1234"
        ]
    assert (tmp_path / "journal.db").stat().st_size < SIZE // 10
    with Place("sqlite", tmp_path).opened() as store:
        assert list(store.entries()) == GOOD
        assert store.size().bytes == sum(len(one.data) for one in GOOD)


def test_small_ones_make_no_directory(tmp_path: Path) -> None:
    with Place("sqlite", tmp_path).opened() as store:
        store.append(b"small")
    assert not (tmp_path / "journal.db.large").exists()


def test_pieces_are_put_together(tmp_path: Path) -> None:
    pieces = (b"head", bytes(SIZE), b"", b"\1" * SIZE)
    with Place("sqlite", tmp_path).opened() as store:
        store.append(*pieces)
        store.replace(1, b"small, ", b"too")
        store.replace(1, *pieces)
        assert [one.data for one in store.entries()] == [b"small, too", b"".join(pieces)]


@pytest.mark.parametrize("kind", ["sqlite-off", "sqlite-normal", "sqlite-full"])
def test_many_that_come_and_go_leave_nothing(tmp_path: Path, kind: str) -> None:
    with Place(kind, tmp_path).opened() as store:
        for number in range(1, 300):
            store.append(data(number))
            if number > COUNT:
                store.replace(number - COUNT, b"")
            assert len(files(tmp_path)) <= COUNT + 1
        assert list(store.entries()) == [Entry(n, data(n)) for n in range(294, 300)]
        store.replace(299, b"")
    assert files(tmp_path) == []


def test_after_a_crash_all_are_there(crashed: Path) -> None:
    with Place("sqlite", crashed).opened() as store:
        assert list(store.entries()) == GOOD


def test_files_that_no_entry_needs_are_removed_at_the_start(crashed: Path) -> None:
    (crashed / "journal.db.large" / "17").write_bytes(b"half of what should")
    with Place("sqlite", crashed).opened() as store:
        assert [one.name for one in files(crashed)] == ["1", "2", "3", "4"]
        store.append(data(7))
        assert list(store.entries()) == [*GOOD, Entry(7, data(7))]


def test_a_crash_in_the_middle_of_writing_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = SlotFiles.write

    def die_half_way(self: SlotFiles, number: int, pieces: Iterable[bytes], *, anew: bool) -> None:
        write(self, number, [b"".join(pieces)[: SIZE // 2]], anew=anew)
        shutil.copytree(tmp_path / "alive", tmp_path / "data")
        raise OSError(ENOSPC, "full")

    with Place("sqlite", tmp_path / "alive").opened() as store:
        for number in range(1, 5):
            store.append(data(number))
        store.replace(1, b"")  # its file is used again, so that it has an end of another entry
        monkeypatch.setattr(SlotFiles, "write", die_half_way)
        with pytest.raises(StoreUnavailableError, match="cannot be written: full"):
            store.append(data(5))
    with Place("sqlite", tmp_path / "data").opened() as store:
        assert list(store.entries()) == GOOD[1:4]
        assert [one.name for one in files(tmp_path / "data")] == ["2", "3"]


def lose(file: Path) -> None:
    file.unlink()


def shorten(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(SIZE // 2)


def empty(file: Path) -> None:
    file.write_bytes(b"")


def falsify(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[SIZE // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("damage", [lose, shorten, empty, falsify])
@pytest.mark.parametrize(("file", "kept"), [("1", 0), ("3", 3), ("4", 4)])
def test_one_without_its_file_ends_the_journal(
    crashed: Path, damage: Any, file: str, kept: int
) -> None:
    damage(crashed / "journal.db.large" / file)
    left = {one.name: one.read_bytes() for one in files(crashed)}
    store = Place("sqlite", crashed).make()
    [told] = store.open()
    why = "has the wrong checksum" if damage is falsify else f"has lost its file {file}, or a part"
    assert f"was damaged (entry {kept + 1} {why}" in told
    assert f"{COUNT - kept} that followed cannot be used" in told
    assert list(store.entries()) == GOOD[:kept]
    store.append(data(kept + 1))
    store.close()
    with Place("sqlite", crashed).opened() as again:
        assert list(again.entries()) == GOOD[: kept + 1]
    [aside] = crashed.glob("journal.db.damaged-*.large")
    assert {one.name: one.read_bytes() for one in aside.iterdir()} == left
    assert aside.with_suffix("").is_file()


class Noted:
    """What is flushed and what is told to SQLite, in their order."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        flush, write = SlotFiles.flush, SlotFiles.write

        def noting_flush(files: SlotFiles, numbers: Iterable[int]) -> None:
            numbers = list(numbers)
            flush(files, numbers)
            self.done.append(f"flush {numbers}")

        def noting_write(
            files: SlotFiles, number: int, pieces: Iterable[bytes], *, anew: bool
        ) -> None:
            write(files, number, pieces, anew=anew)
            self.done.append(f"write {number}")

        patch.setattr(SlotFiles, "flush", noting_flush)
        patch.setattr(SlotFiles, "write", noting_write)

    def listen(self, store: Any) -> None:
        driver = store._tables.connection.connection.driver_connection
        driver.set_trace_callback(lambda told: self.done.append(told.split(" (")[0]))


INSERT = "INSERT INTO concurrent_entries"


def test_with_full_safety_a_file_is_flushed_before_its_entry_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = Noted(monkeypatch)
    with Place("sqlite-full", tmp_path).opened() as store:
        noted.listen(store)
        store.append(data(1))
        assert noted.done == ["write 1", "flush [1]", INSERT]


def test_otherwise_it_is_flushed_before_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("concurrent_framework.store.checkpoints.LOG", 4 * PAGE)
    noted = Noted(monkeypatch)
    with Place("sqlite-normal", tmp_path).opened() as store:
        noted.listen(store)
        for number in range(1, 4):
            store.append(data(number))
        assert noted.done == [
            *("write 1", INSERT),
            *("write 2", INSERT),
            *(INSERT, "flush [2, 1]", "PRAGMA wal_checkpoint(PASSIVE)"),
        ]


class PowerCut:
    """A machine whose power may fail: what was not flushed may be on the disk, or not.

    Args:
        directory: of the journal.
        draw: decides.

    """

    def __init__(self, directory: Path, draw: random.Random, patch: pytest.MonkeyPatch) -> None:
        self._directory = directory
        self._draw = draw
        self.now = 0.0
        self.versions: dict[int, list[bytes | None]] = {}
        """By file: what it was when it was flushed last, and each version since."""
        self.states: list[tuple[int, int]] = [(1, 0)]
        """First and last entry of the journal at the last checkpoint, and after each change since."""
        write, flush, remove = SlotFiles.write, SlotFiles.flush, SlotFiles.remove
        cut = self

        def noting_write(
            files: SlotFiles, number: int, pieces: Iterable[bytes], *, anew: bool
        ) -> None:
            write(files, number, pieces, anew=anew)
            cut.versions.setdefault(number, [None]).append(cut.content(number))

        def noting_flush(files: SlotFiles, numbers: Iterable[int]) -> None:
            numbers = list(numbers)
            flush(files, numbers)
            for number in numbers:
                cut.versions[number] = [cut.content(number)]

        def noting_remove(files: SlotFiles, number: int) -> None:
            remove(files, number)
            cut.versions[number].append(None)

        patch.setattr(SlotFiles, "write", noting_write)
        patch.setattr(SlotFiles, "flush", noting_flush)
        patch.setattr(SlotFiles, "remove", noting_remove)
        patch.setattr("concurrent_framework.store.large.time.monotonic", lambda: cut.now)
        made_durable = LargeEntries.made_durable

        def noting_durable(large: LargeEntries) -> None:
            made_durable(large)
            cut.log = cut.log_now()
            cut.durable = True

        self.log = b""
        self.durable = False
        patch.setattr(LargeEntries, "made_durable", noting_durable)

    def log_now(self) -> bytes:
        return (self._directory / "journal.db-wal").read_bytes()

    def content(self, number: int) -> bytes:
        return (self._directory / "journal.db.large" / str(number)).read_bytes()

    def note(self, first: int, head: int) -> None:
        """Take note of a change that was made; a checkpoint in it came last."""
        self.states.append((first, head))
        if self.durable:
            self.states, self.durable = [(first, head)], False

    def fail(self, remains: Path) -> None:
        """Leave what may be on the disk."""
        (remains / "journal.db.large").mkdir(parents=True)
        shutil.copy(self._directory / "journal.db", remains)
        log = self.log_now()
        place = self._draw.randrange(len(log) + 1)
        (remains / "journal.db-wal").write_bytes(log[:place] + self.log[place:])
        for number, versions in self.versions.items():
            content = self._draw.choice(versions)
            newest = versions[-1]
            if content is not None and newest is not None and self._draw.random() < 0.2:
                place = self._draw.randrange(len(content))
                content = newest[:place] + content[place:]
            if content is not None:
                (remains / "journal.db.large" / str(number)).write_bytes(content)

    def check(self, found: list[Entry]) -> None:
        """Compare what was found again with what there may be."""
        numbers = [one.number for one in found]
        assert found == [Entry(number, data(number)) for number in numbers]
        durable = self.states[0][1]
        assert any(
            numbers == list(range(first, first + len(numbers)))
            and min(durable, head) < first + len(numbers) <= head + 1
            for first, head in self.states
        ), (self.states, numbers)


@pytest.mark.parametrize("seed", range(30))
def test_a_power_cut_costs_only_what_came_since_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    draw = random.Random(seed)
    monkeypatch.setattr("concurrent_framework.store.checkpoints.LOG", 24 * PAGE)
    with monkeypatch.context() as patch:
        cut = PowerCut(tmp_path / "data", draw, patch)
        store = Place("sqlite-normal", tmp_path / "data").make()
        store.open()
        first, head = 1, 0
        for _ in range(draw.randrange(5, 120)):
            cut.now += draw.choice((0.0, 0.01, 3.0))
            if head - first > 2 and draw.random() < 0.4:
                first = draw.randrange(first + 1, head + 1)
                store.replace(first - 1, b"")
            else:
                head += 1
                store.append(data(head))
            cut.note(first, head)
        cut.fail(tmp_path / "remains")
        store.close()
    again = Place("sqlite-normal", tmp_path / "remains").make()
    again.open()
    cut.check(list(again.entries()))
    again.close()


def test_a_database_without_its_directory_is_told(crashed: Path) -> None:
    shutil.rmtree(crashed / "journal.db.large")
    store = Place("sqlite", crashed).make()
    [told] = store.open()
    assert "entry 1 has lost its file 1" in told
    store.close()


def test_the_rows_name_files_and_hold_no_data(crashed: Path) -> None:
    connection = sqlite3.connect(crashed / "journal.db")
    query = "SELECT number, length(data), file, size FROM concurrent_entries WHERE number < 4"
    assert connection.execute(query).fetchall() == [
        (1, 0, 1, SIZE),
        (2, 0, 2, SIZE),
        (3, 100, None, None),
    ]
    connection.close()
