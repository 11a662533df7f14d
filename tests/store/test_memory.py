"""What the store in memory does beyond the contract: it outlives a crash, and fails on demand."""

from __future__ import annotations

import pytest

from concurrent_framework.store.base import Entry, StoreError, StoreSize, StoreUnavailableError
from concurrent_framework.store.memory import MemoryStore


def opened() -> MemoryStore:
    store = MemoryStore()
    store.open()
    return store


def test_another_store_goes_on_where_one_crashed() -> None:
    crashed = opened()
    crashed.append(b"one")
    after = MemoryStore(contents=crashed.contents)
    after.open()
    after.append(b"two")
    assert list(after.entries()) == [Entry(1, b"one"), Entry(2, b"two")]
    assert after.size() == StoreSize(2, 6)


def test_a_store_that_was_taken_over_writes_no_more() -> None:
    crashed = opened()
    MemoryStore(contents=crashed.contents).open()
    with pytest.raises(StoreError, match="not open here"):
        crashed.append(b"late")
    assert crashed.size() == StoreSize(0, 0)


def test_it_fails_as_often_as_it_is_told_to() -> None:
    store = opened()
    store.append(b"one")
    store.contents.fail(2)
    with pytest.raises(StoreUnavailableError):
        store.append(b"two")
    with pytest.raises(StoreUnavailableError):
        store.replace(1, b"three")
    store.append(b"two")
    assert list(store.entries()) == [Entry(1, b"one"), Entry(2, b"two")]
