"""Shared objects by themselves: packed, found in payloads, resolved where tasks run."""

from __future__ import annotations

import pickle
import threading
import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from concurrent_framework import NotSerializable, Task, UsageError
from concurrent_framework.code.blobs import make_blob
from concurrent_framework.model.errors import ConcurrentError
from concurrent_framework.model.spec import DATA, digests_in
from concurrent_framework.tasks import shared
from concurrent_framework.tasks.payload import dump_state, load_task
from concurrent_framework.tasks.shared import (
    Shared,
    SharedObjects,
    pack,
    resolving,
    unpack,
)

if TYPE_CHECKING:
    from pathlib import Path


class Holds(Task):
    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self) -> None: ...


class Named:
    def __init__(self, name: str) -> None:
        self.name = name


def reference(value: Any) -> Shared:
    blob = make_blob(DATA, pack(value))
    return Shared(blob.digest, len(blob.data))


def store(folder: Path, *values: Any, limit: int = 1 << 28) -> SharedObjects:
    objects = SharedObjects(limit)
    for value in values:
        blob = make_blob(DATA, pack(value))
        path = folder / blob.digest
        path.write_bytes(blob.data)
        objects.learn({blob.digest: str(path)})
    return objects


@pytest.mark.parametrize(
    "value", [None, b"", {"a": [1, 2]}, bytes(100_000), bytearray(b"x" * 9999)]
)
def test_what_is_packed_is_rebuilt(value: Any) -> None:
    assert unpack(memoryview(pack(value))) == value


def test_arrays_stay_where_they_lie() -> None:
    value = {
        "big": np.arange(10_000.0),
        "small": np.arange(3),
        "more": np.ones((50, 60), order="F"),
    }
    data = memoryview(pack(value))
    rebuilt = unpack(data)
    for name, array in value.items():
        assert (rebuilt[name] == array).all()
    assert np.shares_memory(rebuilt["big"], np.frombuffer(data, dtype=np.uint8))
    assert rebuilt["big"].flags.aligned
    assert not rebuilt["big"].flags.writeable


@pytest.mark.parametrize("value", [bytes(1 << 22), {"a": bytearray(1 << 22)}, np.zeros(1 << 19)])
def test_what_is_large_is_copied_once(value: Any) -> None:
    tracemalloc.start()
    try:
        pack(value)
        assert tracemalloc.get_traced_memory()[1] < 1.1 * (1 << 22)
    finally:
        tracemalloc.stop()


def test_equal_objects_have_equal_references() -> None:
    assert reference([1, 2]) == reference([1, 2]) != reference([2, 1])
    assert len({reference("a"), reference("a")}) == 1


@pytest.mark.parametrize("wrap", [lambda r: r, lambda r: {"deep": [("er", r)]}, Named])
def test_a_reference_is_found_and_resolved_at_any_depth(wrap: Any, tmp_path: Path) -> None:
    ref = reference(["the", "object"])
    payload = dump_state(Holds([wrap(ref), wrap(ref)]))
    assert digests_in(payload) == (ref.digest,)
    with resolving(store(tmp_path, ["the", "object"])):
        first, second = load_task(Holds, payload).value
    found = [one.name if isinstance(one, Named) else one for one in (first, second)]
    assert "the" in repr(found)
    # Elsewhere it stays a reference, which does nothing when it is released.
    first, _ = load_task(Holds, payload).value
    elsewhere = first.name if isinstance(first, Named) else first
    assert ref.digest[:12] in repr(elsewhere)
    ref.release()


def test_several_references_are_found_in_order() -> None:
    refs = [reference(number) for number in range(5)]
    payload = pickle.dumps([*refs, *refs])
    assert digests_in(payload) == tuple(sorted(one.digest for one in refs))
    assert digests_in(pickle.dumps(b"concurrent-shared:" + b"a" * 63)) == ()


def test_an_object_is_read_once_and_forgotten_when_there_are_too_many(tmp_path: Path) -> None:
    values = [[number] * 1000 for number in range(3)]
    refs = [reference(value) for value in values]
    limit = sum(ref.size for ref in refs[:2])
    objects = store(tmp_path, *values, limit=limit)
    one, two, three = (objects.object(ref.digest) for ref in refs)
    assert [one, two, three] == values
    assert objects.object(refs[2].digest) is three
    assert objects.object(refs[1].digest) is two
    assert objects.object(refs[0].digest) is not one


def test_what_is_removed_meanwhile_can_still_be_used(tmp_path: Path) -> None:
    array = np.arange(100_000)
    objects = store(tmp_path, array)
    ref = reference(array)
    mine = objects.object(ref.digest)
    (tmp_path / ref.digest).unlink()
    assert mine.sum() == array.sum()


def test_what_is_not_there_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConcurrentError, match="is not on this worker"):
        SharedObjects().object("a" * 64)


def test_what_cannot_be_pickled_is_named() -> None:
    with pytest.raises(NotSerializable, match=r"cannot be shared: it\['lock'\] is of type"):
        pack({"lock": threading.Lock()})


def test_what_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "MAX_PAYLOAD_BYTES", 1 << 20)
    with pytest.raises(UsageError, match="an object of 2 MiB cannot be shared, 1 MiB at most"):
        pack(bytes(2 << 20))
