"""Damaged SQLite files: what is good is kept, the rest set aside, and both are told."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
from pathlib import Path

import pytest

from concurrent_framework.store.base import Entry
from tests.store.stores import Place, left_by_kill_9

COUNT = 12
GOOD = [Entry(n, b"%05d" % n * 500 * (n % 4 + 1)) for n in range(1, COUNT + 1)]
PAGE = 4096


def written(directory: Path) -> Path:
    """Write a journal and close it; return its file."""
    with Place("sqlite-off", directory).opened() as store:
        for entry in GOOD:
            store.append(entry.data)
    return directory / "journal.db"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path / "data")


@pytest.fixture
def crashed(tmp_path: Path) -> Path:
    """A journal as it is after kill -9: the entries are in the write-ahead log only."""
    return left_by_kill_9("sqlite-off", GOOD, tmp_path) / "journal.db"


def recovered(file: Path) -> tuple[list[Entry], str]:
    """Open a damaged journal; return what was kept and told, after making sure that it works."""
    place = Place("sqlite-off", file.parent)
    store = place.make()
    told = store.open()
    kept = list(store.entries())
    assert kept == GOOD[: len(kept)]
    store.append(b"new")
    assert store.size().entries == len(kept) + 1
    store.close()
    with place.opened() as again:
        assert list(again.entries()) == [*kept, Entry(len(kept) + 1, b"new")]
    return kept, " ".join(told)


def change(file: Path, statement: str) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute(statement)
    connection.close()


def aside(file: Path, told: str) -> Path:
    """Return the file that was set aside, which has to be the one that was told."""
    [found] = file.parent.glob("journal.db.damaged-*")
    assert str(found) in told
    assert found.stat().st_mode & 0o777 == 0o600
    return found


def test_an_entry_with_the_wrong_checksum_ends_the_journal(file: Path) -> None:
    change(file, "UPDATE concurrent_entries SET data = 'x' || data WHERE number = 7")
    kept, told = recovered(file)
    assert len(kept) == 6
    assert re.search(
        r"was damaged \(entry 7 has the wrong checksum\): 6 entries were kept; "
        r"6 that followed cannot be used and can be looked at in /.*damaged-\d{8}T\d{6}Z",
        told,
    )
    old = sqlite3.connect(aside(file, told))
    assert old.execute("SELECT count(*) FROM concurrent_entries").fetchall() == [(COUNT,)]
    old.close()


def test_a_gap_ends_the_journal(file: Path) -> None:
    change(file, "DELETE FROM concurrent_entries WHERE number IN (2, 5)")
    kept, told = recovered(file)
    assert len(kept) == 1
    assert "entry 2 is missing" in told
    assert "1 entry was kept; 11 that followed" in told


def test_a_missing_beginning_leaves_nothing_usable(file: Path) -> None:
    change(file, "DELETE FROM concurrent_entries WHERE number = 1")
    kept, told = recovered(file)
    assert kept == []
    assert "entry 1 is missing" in told


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM concurrent_facts",
        "DROP TABLE concurrent_facts",
        "UPDATE concurrent_facts SET value = 'x' WHERE name = 'format'",
        "UPDATE concurrent_facts SET value = '3' WHERE name = 'first'",
        "UPDATE concurrent_facts SET value = cast(x'ff' AS TEXT)",
    ],
)
def test_damage_beside_the_entries_costs_none_of_them(file: Path, statement: str) -> None:
    change(file, statement)
    kept, told = recovered(file)
    assert kept == GOOD
    assert "12 entries were kept" in told


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE concurrent_entries",
        "ALTER TABLE concurrent_entries RENAME crc32 TO odd",
        "UPDATE concurrent_entries SET data = 5",
        "UPDATE concurrent_entries SET crc32 = 'x'",
    ],
)
def test_entries_that_are_none_are_set_aside(file: Path, statement: str) -> None:
    change(file, statement)
    kept, told = recovered(file)
    assert kept == []
    assert "0 entries were kept; 12 that followed" in told


@pytest.mark.parametrize("content", [b"", b"no database" * 1000, bytes(100_000)])
def test_a_file_of_garbage_is_set_aside(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    kept, told = recovered(file)
    assert kept == []
    assert "0 entries were kept" in told
    assert "12 that" in told
    if content:
        assert aside(file, told).read_bytes() == content


def test_a_file_that_is_gone_is_told(file: Path) -> None:
    file.unlink()
    assert recovered(file)[0] == []


def pages(directory: Path) -> range:
    return range(written(directory / "sample").stat().st_size // PAGE)


def test_any_page_of_zeros_is_told_and_costs_only_what_follows(tmp_path: Path) -> None:
    lost = 0
    for page in pages(tmp_path):
        file = written(tmp_path / str(page))
        with file.open("r+b") as opened:
            opened.seek(page * PAGE)
            opened.write(bytes(PAGE))
        kept, told = recovered(file)
        assert (len(kept) == COUNT) or "was damaged" in told, page
        lost += len(kept) < COUNT
    assert lost >= COUNT


def test_a_file_that_is_cut_off_anywhere_is_told(tmp_path: Path) -> None:
    for page in pages(tmp_path):
        file = written(tmp_path / str(page))
        with file.open("r+b") as opened:
            opened.truncate(page * PAGE + 100)
        kept, told = recovered(file)
        assert len(kept) < COUNT, page
        assert aside(file, told).exists()


def test_any_wrong_byte_is_told_or_costs_nothing(tmp_path: Path) -> None:
    draw = random.Random(11)
    for number in range(25):
        file = written(tmp_path / str(number))
        content = bytearray(file.read_bytes())
        place = draw.randrange(100, len(content))
        content[place] ^= draw.randrange(1, 256)
        file.write_bytes(content)
        kept, told = recovered(file)
        assert told or kept == GOOD, place


def test_a_log_of_a_crash_is_all_that_is_needed(crashed: Path) -> None:
    assert recovered(crashed) == (GOOD, "")


def test_a_log_that_is_cut_off_anywhere_is_told(crashed: Path, tmp_path: Path) -> None:
    size = Path(f"{crashed}-wal").stat().st_size
    for number, left in enumerate(range(0, size, size // 15)):
        shutil.copytree(crashed.parent, tmp_path / str(number))
        file = tmp_path / str(number) / "journal.db"
        with Path(f"{file}-wal").open("r+b") as log:
            log.truncate(left)
        kept, told = recovered(file)
        assert len(kept) < COUNT
        assert f"{COUNT - len(kept)} that had been added later are missing" in told
        assert not left or "-wal" in told


def test_a_log_with_a_wrong_byte_is_kept(crashed: Path) -> None:
    log = Path(f"{crashed}-wal")
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 1
    log.write_bytes(content)
    kept, told = recovered(crashed)
    assert 0 < len(kept) < COUNT
    [remains] = crashed.parent.glob("journal.db.damaged-*")
    assert str(remains) in told
    assert remains.read_bytes() == content


@pytest.mark.parametrize("step", range(3))
def test_a_crash_while_a_file_is_replaced_loses_nothing(
    file: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(file, "UPDATE concurrent_entries SET crc32 = 1 WHERE number = 7")
    with monkeypatch.context() as patch:
        _crash_at(step, patch)
        with pytest.raises(KeyboardInterrupt):
            Place("sqlite-off", file.parent).make().open()
    kept, _ = recovered(file)
    assert len(kept) == 6
    assert list(file.parent.glob("journal.db.damaged-*"))
    assert not list(file.parent.glob("*.rebu*"))


def _crash_at(step: int, patch: pytest.MonkeyPatch) -> None:
    """Let the n-th change of a name fail as if the process ended there."""
    count = iter(range(100))

    for name in ("rename", "replace"):
        original = getattr(Path, name)

        def change_name(self: Path, target: Path | str, original: object = original) -> Path:
            if next(count) == step:
                raise KeyboardInterrupt
            return original(self, target)  # type: ignore[operator,no-any-return]

        patch.setattr(Path, name, change_name)
