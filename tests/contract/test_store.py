"""What every store of the journal promises, whatever keeps it."""

from __future__ import annotations

import os
import random
import signal
import sys
import traceback
import tracemalloc
from pathlib import Path
from typing import TextIO

import pytest

from concurrent_framework.store.base import Entry, StoreError, StoreSize
from tests.store.stores import DURABLE, KINDS, Place, place_for

LARGE = bytes(range(256)) * 4096


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return place_for(request.param, tmp_path / "data", request)


@pytest.fixture(params=DURABLE)
def durable(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return place_for(request.param, tmp_path / "data", request)


def test_a_new_store_is_empty(place: Place) -> None:
    with place.opened() as store:
        assert list(store.entries()) == []
        assert store.oldest(1000) == []
        assert store.size() == StoreSize(0, 0)


def test_entries_are_numbered_and_keep_their_order(place: Place) -> None:
    data = [b"one", b"", b"\x00\xff" * 100, LARGE]
    with place.opened() as store:
        for one in data:
            store.append(one)
        expected = [Entry(number, one) for number, one in enumerate(data, 1)]
        assert list(store.entries()) == expected
        assert store.size() == StoreSize(4, sum(map(len, data)))


def test_what_was_added_is_there_when_it_is_opened_again(place: Place) -> None:
    with place.opened() as store:
        store.append(b"one")
        store.append(b"two")
    with place.opened() as store:
        assert store.size() == StoreSize(2, 6)
        store.append(b"three")
        assert list(store.entries()) == [Entry(1, b"one"), Entry(2, b"two"), Entry(3, b"three")]


def test_the_oldest_are_as_many_as_fit_and_at_least_one(place: Place) -> None:
    with place.opened() as store:
        for number in range(1, 6):
            store.append(b"%d" % number * 100)
        assert [one.number for one in store.oldest(250)] == [1, 2]
        assert [one.number for one in store.oldest(300)] == [1, 2, 3]
        assert [one.number for one in store.oldest(1)] == [1]
        assert len(store.oldest(10_000)) == 5


def test_replacing_drops_the_oldest_and_adds_at_the_head(place: Place) -> None:
    with place.opened() as store:
        for number in range(1, 6):
            store.append(b"%d" % number)
        store.replace(3, b"1 to 3")
        expected = [Entry(4, b"4"), Entry(5, b"5"), Entry(6, b"1 to 3")]
        assert list(store.entries()) == expected
        assert store.oldest(1) == expected[:1]
        assert store.size() == StoreSize(3, 8)
    with place.opened() as store:
        assert list(store.entries()) == expected
        assert store.size() == StoreSize(3, 8)


def test_replacing_by_nothing_only_drops(place: Place) -> None:
    with place.opened() as store:
        store.append(b"one")
        store.append(b"two")
        store.replace(1, b"")
        assert list(store.entries()) == [Entry(2, b"two")]
        store.replace(1, b"")
        assert list(store.entries()) == [Entry(2, b"two")]


def test_replacing_nothing_only_adds(place: Place) -> None:
    with place.opened() as store:
        store.append(b"one")
        store.replace(0, b"two")
        assert list(store.entries()) == [Entry(1, b"one"), Entry(2, b"two")]


def test_no_number_is_given_twice(place: Place) -> None:
    with place.opened() as store:
        store.append(b"one")
        store.append(b"two")
        store.replace(2, b"")
        assert store.size() == StoreSize(0, 0)
    with place.opened() as store:
        assert store.size() == StoreSize(0, 0)
        store.append(b"three")
        assert list(store.entries()) == [Entry(3, b"three")]


def test_it_can_be_written_while_it_is_read(place: Place) -> None:
    with place.opened() as store:
        for _ in range(10):
            store.append(LARGE)
        read = store.entries()
        assert next(read).number == 1
        store.append(b"new")
        assert [one.number for one in read][:9] == list(range(2, 11))


def test_reading_takes_little_memory(durable: Place) -> None:
    with durable.opened() as store:
        for _ in range(40):
            store.append(LARGE)
    with durable.opened() as store:
        tracemalloc.start()
        assert sum(len(one.data) for one in store.entries()) == 40 * len(LARGE)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 16 * len(LARGE)


def test_a_second_one_is_kept_out_and_told_why(durable: Place) -> None:
    with durable.opened() as store:
        store.append(b"one")
        with pytest.raises(StoreError, match=f"in use by tester .*{os.getpid()}"):
            durable.make("another").open()
        store.append(b"two")
    with durable.opened() as store:
        assert store.size().entries == 2


def test_closing_twice_does_nothing(place: Place) -> None:
    store = place.make()
    store.open()
    store.close()
    store.close()


def test_a_store_that_is_not_open_says_so(place: Place) -> None:
    store = place.make()
    with pytest.raises(StoreError, match="not open"):
        store.append(b"one")
    with pytest.raises(StoreError, match="not open"):
        list(store.entries())


def _write_on(place: Place, way: str, told: TextIO) -> None:
    """Write entries for ever, and tell the number of each that is written."""
    store = place.make()
    store.open()
    sizes = (700, 100_000)
    begun = store.oldest(1)[0].number + store.size().entries if store.size().entries else 1
    for number in range(begun, 10**9):
        data = b"%d " % number * sizes[number % 2]
        if way == "replacing" and number > 3:
            store.replace(number - 3, data)
        else:
            store.append(data)
        print(number, file=told, flush=True)


@pytest.mark.parametrize("way", ["adding", "replacing"])
def test_what_returned_survives_kill_9_whole(durable: Place, way: str) -> None:
    sizes = (700, 100_000)
    draw = random.Random(7)
    known = 0
    for _ in range(2):
        known += _killed_after(durable, way, draw.randrange(10, 60))
        with durable.opened() as store:
            found = list(store.entries())
        head = found[-1].number
        assert known <= head <= known + 1
        first = 1 if way == "adding" else head - 2
        assert found == [Entry(n, b"%d " % n * sizes[n % 2]) for n in range(first, head + 1)]
        known = head


def _killed_after(place: Place, way: str, count: int) -> int:
    """Let a child write that many entries and a few more; return how many it told about."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            with open(writing, "w") as told:
                _write_on(place, way, told)
        finally:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
    os.close(writing)
    with open(reading) as stream:
        numbers = [stream.readline() for _ in range(count)]
        os.kill(child, signal.SIGKILL)
        numbers += stream.readlines()
    os.waitpid(child, 0)
    assert all(numbers)
    return len(numbers)
