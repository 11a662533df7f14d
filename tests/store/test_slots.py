"""Which file a large entry gets, and when that can be written again."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from concurrent_framework.store.large import LargeEntries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from concurrent_framework.store.engine import Sync
    from concurrent_framework.store.slots import SlotFiles

KB = 1024
SIZE = 100 * KB


class Files:
    """Files that only note what is done to them."""

    def __init__(self) -> None:
        self.lengths: dict[int, int] = {}
        self.flushed: list[int] = []
        self.copied = False
        self.full = False

    def numbers(self) -> list[int]:
        return list(self.lengths)

    def size(self, number: int) -> int:
        return self.lengths.get(number, 0)

    def write(self, number: int, pieces: Iterable[bytes], *, anew: bool) -> None:
        if not anew:
            assert number in self.lengths
        size = sum(map(len, pieces))
        self.lengths[number] = size if anew else max(size, self.lengths[number])
        if self.full:
            raise OSError

    def flush(self, numbers: Iterable[int]) -> None:
        self.flushed += numbers

    def remove(self, number: int) -> None:
        self.lengths.pop(number, None)

    def are_copied(self) -> bool:
        return self.copied


class Bench:
    """Large entries on such files, with a clock of their own."""

    def __init__(self, sync: Sync = "normal") -> None:
        self.files = Files()
        self.now = 100.0
        self.large = LargeEntries(cast("SlotFiles", self.files), sync, lambda: self.now)
        self.entry = 0

    def write(self, size: int = SIZE) -> int:
        """Write the next entry; return its file."""
        self.entry += 1
        return self.large.write(self.entry, size, (bytes(size),))

    def checkpoint(self) -> None:
        self.large.flush()
        self.large.made_durable()


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_each_entry_that_is_there_has_a_file_of_its_own(bench: Bench) -> None:
    assert [bench.write() for _ in range(3)] == [1, 2, 3]


def test_a_file_is_used_again_when_its_entry_is_gone(bench: Bench) -> None:
    bench.write()
    bench.large.dropped(1)
    assert bench.write() == 1


def test_a_file_that_may_be_needed_after_a_power_cut_waits_for_a_checkpoint(bench: Bench) -> None:
    bench.write()
    bench.checkpoint()
    bench.large.dropped(1)
    assert bench.write() == 2
    bench.checkpoint()
    assert bench.write() == 1


def test_so_does_one_of_which_the_disk_may_have_heard_without_a_checkpoint(bench: Bench) -> None:
    bench.write()
    bench.now += 60
    bench.large.dropped(1)
    assert bench.write() == 2
    assert bench.large.wants_checkpoint()
    bench.checkpoint()
    assert not bench.large.wants_checkpoint()
    assert bench.write() == 1


@pytest.mark.parametrize("sync", ["off", "full"])
def test_no_file_waits_where_a_commit_is_enough_or_nothing_is(sync: Sync) -> None:
    bench = Bench(sync)
    bench.write(300 * KB)
    bench.checkpoint()
    bench.now += 60
    bench.large.dropped(1)
    assert bench.write(300 * KB) == 1


def test_much_that_waits_brings_a_checkpoint_about(bench: Bench) -> None:
    for _ in range(70):
        bench.write(1024 * KB)
    bench.checkpoint()
    bench.large.dropped(60)
    assert not bench.large.wants_checkpoint()
    bench.large.dropped(70)
    assert bench.large.wants_checkpoint()


def test_each_file_is_flushed_once_before_a_checkpoint(bench: Bench) -> None:
    bench.write()
    bench.write()
    bench.checkpoint()
    assert sorted(bench.files.flushed) == [1, 2]
    bench.write()
    bench.checkpoint()
    assert sorted(bench.files.flushed) == [1, 2, 3]


def test_what_is_gone_before_a_checkpoint_never_waits_for_the_disk(bench: Bench) -> None:
    for number in range(1, 100):
        bench.write()
        bench.large.dropped(number)
    bench.checkpoint()
    assert bench.files.flushed == []


def test_files_are_not_touched_while_they_are_copied(bench: Bench) -> None:
    bench.write()
    bench.large.dropped(1)
    bench.files.copied = True
    assert bench.write() == 2
    bench.large.give_up_spare()
    assert 1 in bench.files.lengths
    bench.files.copied = False
    assert bench.write() == 1


def test_few_files_are_kept_for_later(bench: Bench) -> None:
    for _ in range(100):
        bench.write(1024 * KB)
    bench.large.dropped(100)
    assert sum(bench.files.lengths.values()) == 64 * 1024 * KB


def test_none_is_kept_where_nothing_large_comes_any_more(bench: Bench) -> None:
    bench.write()
    bench.large.dropped(1)
    bench.checkpoint()
    assert bench.files.lengths
    bench.checkpoint()
    assert not bench.files.lengths


def test_a_long_file_is_cut_for_a_small_entry(bench: Bench) -> None:
    bench.write(1024 * KB)
    bench.large.dropped(1)
    bench.write(40 * KB)
    assert bench.files.lengths == {1: 40 * KB}


def test_a_write_that_fails_leaves_no_file(bench: Bench) -> None:
    bench.files.full = True
    with pytest.raises(OSError):  # noqa: PT011 (it has no text)
        bench.write()
    assert not bench.files.lengths


def test_an_entry_that_the_database_did_not_take_gives_its_file_back(bench: Bench) -> None:
    bench.write()
    bench.entry = 0
    assert bench.write() == 1


def test_what_nobody_needs_is_given_up_after_a_checkpoint(bench: Bench) -> None:
    bench.files.lengths = {1: SIZE, 2: SIZE, 7: SIZE}
    assert bench.large.take_stock([(5, 2)])
    bench.large.give_up_spare()
    assert sorted(bench.files.lengths) == [1, 2, 7]
    bench.checkpoint()
    bench.large.give_up_spare()
    assert sorted(bench.files.lengths) == [2]
    assert bench.files.flushed == [2]
    bench.entry = 5
    assert bench.write() == 8
