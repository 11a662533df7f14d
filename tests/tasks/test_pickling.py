"""Picklers: what others than pickle make travels in a pickle that names them."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from concurrent_framework.components import Component, implements
from concurrent_framework.components.interface import full_name
from concurrent_framework.model.errors import NotSerializable, UsageError
from concurrent_framework.tasks.payload import (
    apply_changes,
    dump_result,
    dump_state,
    load_result,
    load_task,
)
from concurrent_framework.tasks.pickling import (
    CompressedPickler,
    IPickler,
    dump_changes_by,
    dump_result_by,
    dump_state_by,
    pickler_of,
    wrap,
)
from concurrent_framework.tasks.state import attributes
from concurrent_framework.tasks.task import Task


class Plain(Task):
    def __init__(self, data: Any) -> None:
        super().__init__("plain")
        self.data = data


class Slotted:
    __slots__ = ("data", "name")

    def __init__(self, data: Any) -> None:
        self.name = "slotted"
        self.data = data


class Whole(dict[str, Any]):
    name = "whole"

    @property
    def data(self) -> Any:
        return self["data"]


COMPRESSED = CompressedPickler()


@pytest.mark.parametrize("make", [Plain, Slotted, lambda data: Whole(data=data)])
def test_a_state_comes_through(make: Any) -> None:
    before = make("x" * 100_000)
    payload = dump_state_by(COMPRESSED, before)
    assert len(payload) < 2000
    after: Any = load_task(type(before), payload)
    assert (type(after), after.name, after.data) == (type(before), before.name, before.data)


def test_results_and_changes_come_through() -> None:
    assert load_result(dump_result_by(COMPRESSED, [1, 2])) == [1, 2]
    task = Plain(1)
    before = dict(attributes(task))
    after = {**before, "found": 5}
    del after["data"]
    assert dump_changes_by(COMPRESSED, before, before) == b""
    apply_changes(task, dump_changes_by(COMPRESSED, before, after))
    assert (task.found, hasattr(task, "data")) == (5, False)  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", [None, 1, "unwrap", b"x" * 100, {"a": [1]}])
def test_a_payload_says_what_has_made_it(value: Any) -> None:
    assert pickler_of(dump_result(value)) is None
    assert pickler_of(dump_state(Plain(value))) is None
    assert pickler_of(b"") is None
    for payload in (dump_result_by(COMPRESSED, value), dump_state_by(COMPRESSED, Plain(value))):
        assert isinstance(pickler_of(payload), CompressedPickler)
        assert isinstance(pickler_of(memoryview(payload)), CompressedPickler)


def test_to_look_who_has_made_it_unpickles_nothing() -> None:
    class Never(Component):
        implements(IPickler)

        def dumps(self, value: object) -> bytes:
            return b"no pickle at all"

        def loads(self, data: bytes) -> Any:
            raise AssertionError

    with pytest.raises(UsageError, match=r"the pickler .*Never is needed here and cannot be had"):
        pickler_of(wrap(Never(), 1))


def test_what_a_pickler_cannot_do_is_told_with_its_name() -> None:
    with pytest.raises(
        NotSerializable, match=r"Plain 'plain' cannot be sent: the pickler 'compressed' raised Typ"
    ):
        dump_state_by(COMPRESSED, Plain(threading.Lock()))
    with pytest.raises(NotSerializable, match=r"the result cannot be sent back: the pickler 'comp"):
        dump_result_by(COMPRESSED, threading.Lock())
    with pytest.raises(NotSerializable, match="what the task changed cannot be sent back"):
        dump_changes_by(COMPRESSED, {}, {"lock": threading.Lock()})


def test_a_pickler_that_is_not_installed_here_is_told() -> None:
    name = full_name(CompressedPickler).encode()
    payload = dump_result_by(COMPRESSED, 1).replace(name, name[:-1] + b"x")
    with pytest.raises(NotSerializable, match=r"the pickler .*Picklex is needed here .* install"):
        load_result(payload)
