from __future__ import annotations

import copyreg
import pickle
import threading
from collections import deque
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pytest

from concurrent_framework import NotSerializable, Task
from concurrent_framework.tasks.payload import (
    NOTHING,
    apply_changes,
    dump_changes,
    dump_result,
    dump_state,
    is_plain,
    load_result,
    load_task,
)
from concurrent_framework.tasks.state import attributes, form_of


class Plain(Task):
    def __init__(self, value: Any) -> None:
        super().__init__("plain", None, "app")
        self.value = value


class Slotted(Task):
    __slots__ = ("__hidden", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self.__hidden = value

    def hidden(self) -> Any:
        return self.__hidden


class Selective(Task):
    def __init__(self, value: Any) -> None:
        self.value = value
        self.lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {"value": self.value}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.value = state["value"]
        self.lock = threading.Lock()


class Reduced(Task):
    def __init__(self, value: Any) -> None:
        self.value = value

    def __reduce__(self) -> Any:
        return Reduced, (self.value,)


class Registered(Task):
    def __init__(self, value: Any) -> None:
        self.value = value


copyreg.pickle(Registered, lambda task: (Registered, (task.value,)))


class WithArguments(Task):
    def __new__(cls, value: Any) -> Self:
        made = super().__new__(cls)
        made.value = value  # type: ignore[attr-defined]
        return made

    def __getnewargs__(self) -> tuple[Any, ...]:
        return (self.value,)  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Frozen(Task):
    value: Any


class Listed(list[int], Task):
    def __init__(self, value: Any) -> None:
        super().__init__([value])
        self.value = value


class Stateless(Task):
    value = 7

    def __init__(self, value: Any) -> None:
        assert value == self.value


@pytest.mark.parametrize(
    ("cls", "form"),
    [
        (Plain, "dict"),
        (Slotted, "state"),
        (Selective, "state"),
        (Reduced, "whole"),
        (Registered, "whole"),
        (WithArguments, "whole"),
        (Frozen, "state"),
        (Listed, "whole"),
        (Stateless, "dict"),
    ],
)
def test_every_kind_of_object_is_rebuilt(cls: Any, form: str) -> None:
    assert form_of(cls) == form
    again = load_task(cls, memoryview(dump_state(cls(7))))
    assert type(again) is cls
    assert again.value == 7


def test_private_slots_travel() -> None:
    assert load_task(Slotted, dump_state(Slotted(3))).hidden() == 3


def test_the_class_does_not_travel_with_the_state() -> None:
    assert b"Plain" not in dump_state(Plain(3))


def test_init_is_not_called_again() -> None:
    class Once(Task):
        def __init__(self) -> None:
            self.count = 1

    task = Once()
    task.count = 2
    assert load_task(Once, dump_state(task)).count == 2


def test_lambdas_and_nested_classes_travel() -> None:
    class Local:
        number = 4

    task = Plain([lambda: 3, Local()])
    again = load_task(Plain, dump_state(task))
    assert again.value[0]() == 3
    assert again.value[1].number == 4


def recursive() -> list[Any]:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    return nested


class Awkward:
    def __getstate__(self) -> object:
        message = "no state today"
        raise RuntimeError(message)


def uses_lock() -> Any:
    lock = threading.Lock()
    return lambda: lock


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            threading.Lock(),
            r"Plain 'plain' cannot be sent: attribute value is of type _thread.lock",
        ),
        ({"db": [1, threading.Lock()]}, r"attribute value\['db'\]\[1\] is of type _thread.lock"),
        (Plain(threading.Lock()), r"attribute value.value is of type _thread.lock"),
        ((n for n in [1]), r"attribute value is of type generator: cannot pickle 'generator'"),
        (Awkward(), r"attribute value is of type .*Awkward: no state today"),
        (recursive(), r"attribute value is of type list: it is nested too deeply"),
        (uses_lock(), r"lock, which attribute value uses, is of type _thread.lock"),
        (deque([threading.Lock()]), r"attribute value is of type collections.deque: cannot pickle"),
    ],
)
def test_what_cannot_be_pickled_is_named(value: Any, message: str) -> None:
    with pytest.raises(NotSerializable, match=message) as raised:
        dump_state(Plain(value))
    assert raised.value.kind == "not_serializable"
    assert "\n" not in raised.value.message


def test_what_getstate_raises_is_told() -> None:
    class Broken(Task):
        def __getstate__(self) -> Any:
            message = "not now"
            raise RuntimeError(message)

    with pytest.raises(NotSerializable, match="__getstate__ raised RuntimeError: not now"):
        dump_state(Broken())


def test_results_travel() -> None:
    for value in (None, 3, "text", [1, {"a": (2.5, b"x")}], Plain):
        assert load_result(dump_result(value)) == value


def test_what_the_main_program_defines_travels_by_value(monkeypatch: pytest.MonkeyPatch) -> None:
    defined = type("Defined", (), {"__module__": "__main__", "answer": 42})
    with monkeypatch.context() as program:
        program.setattr("__main__.Defined", defined, raising=False)
        result = dump_result(["__main__", {1: defined()}])
        state = dump_state(Plain(defined))
        changes = dump_changes({}, {"value": defined})
    # Here, as on another machine, the main program has nothing of that name.
    assert load_result(result)[1][1].answer == 42
    task = load_task(Plain, state)
    assert task.value.answer == 42
    del task.value
    apply_changes(task, changes)
    assert task.value.answer == 42


def test_a_text_that_names_the_main_program_is_an_ordinary_result() -> None:
    assert dump_result("__main__") == pickle.dumps("__main__", 5)


def test_nothing_is_what_a_task_without_a_result_returns() -> None:
    assert dump_result(None) == NOTHING
    assert load_result(NOTHING) is None


def test_a_result_that_cannot_be_pickled_is_named() -> None:
    with pytest.raises(
        NotSerializable, match=r"the result cannot be sent back: it\['a'\] is of type"
    ):
        dump_result({"a": threading.Lock()})


def test_a_result_that_cannot_be_rebuilt_is_an_error_of_its_own() -> None:
    with pytest.raises(
        NotSerializable, match="cannot be rebuilt here: ModuleNotFoundError: No mod"
    ):
        load_result(b"cnowhere_to_be_found\nThing\n.")


def changed(task: Any, change: Any) -> bytes:
    before = dict(attributes(task))
    change(task)
    return dump_changes(before, attributes(task))


def test_no_change_costs_no_byte() -> None:
    assert changed(Plain([1]), lambda task: task.value.append(2)) == b""


def test_rebound_new_and_deleted_attributes_come_back() -> None:
    def change(task: Any) -> None:
        task.value = "rebound"
        task.fresh = 1
        del task.client_id

    task: Any = Plain("old")
    apply_changes(task, changed(Plain("old"), change))
    assert (task.value, task.fresh) == ("rebound", 1)
    assert "client_id" not in vars(task)


def test_changes_by_replacing_a_key_by_another_are_seen() -> None:
    def change(task: Any) -> None:
        kept = task.value
        del task.value
        task.other = kept

    task: Any = Plain("old")
    apply_changes(task, changed(task, change))
    assert task.other == "old"
    assert "value" not in vars(task)


def test_changes_of_slots_and_frozen_tasks_come_back() -> None:
    def delete(task: Any) -> None:
        del task.value

    slotted = Slotted(1)
    apply_changes(slotted, changed(Slotted(1), lambda task: setattr(task, "value", 2)))
    assert slotted.value == 2
    apply_changes(slotted, changed(Slotted(1), delete))
    assert not hasattr(slotted, "value")
    frozen = Frozen(1)
    apply_changes(frozen, pickle.dumps({"value": 2}))
    assert frozen.value == 2


def test_applying_nothing_changes_nothing() -> None:
    task = Plain(1)
    apply_changes(task, b"")
    assert task.value == 1


def test_a_change_that_cannot_be_pickled_is_named() -> None:
    with pytest.raises(
        NotSerializable, match=r"attribute value is of type .*; delete it in clean_up"
    ):
        changed(Plain(1), lambda task: setattr(task, "value", threading.Lock()))


def test_changes_that_cannot_be_rebuilt_leave_the_task_alone() -> None:
    task = Plain(1)
    with pytest.raises(
        NotSerializable, match="what <Plain 'plain'> changed cannot be rebuilt here"
    ):
        apply_changes(task, b"broken")
    assert task.value == 1


@pytest.mark.parametrize(
    ("value", "plain"),
    [(b"x", True), ("x", True), ([], False), (np.ones(3), True), (np.array([object()]), False)],
)
def test_what_cannot_hold_classes_is_known(value: object, plain: bool) -> None:
    assert is_plain(value) is plain


@pytest.mark.parametrize("value", [b"__main__" * 20_000, "__main__" * 20_000, b"x" * 200_000])
def test_large_plain_results_come_back(value: object) -> None:
    assert load_result(dump_result(value)) == value
