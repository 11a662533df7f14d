"""A slice by itself: what it returns, what it hands back, and which of its items fail."""

from __future__ import annotations

import pickle
import threading
from typing import TYPE_CHECKING, Any

import pytest

from concurrent_framework import Task, UsageError, current_task, task
from concurrent_framework.model.errors import error_from
from concurrent_framework.tasks import arrays
from concurrent_framework.tasks.arrays import MAX_PARTS, Block, Mapped, Slice, slice_class
from concurrent_framework.tasks.current import CurrentTask, running
from concurrent_framework.tasks.failures import load_exception
from concurrent_framework.tasks.payload import dump_items, dump_state, load_result, load_task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Sink:
    """Keeps what a slice pushes."""

    def __init__(self) -> None:
        self.pushed: list[Any] = []

    def push(self, task: Task) -> None:
        self.pushed.append(load_task(type(task), dump_state(task)))

    def progress(self, done: float, total: float, message: str) -> None:
        raise AssertionError

    def log(self, level: str, text: str) -> None:
        raise AssertionError

    def cancelled(self) -> bool:
        return False

    def scratch(self) -> Path:
        raise AssertionError

    def checkpoint(self, state: bytes) -> None:
        raise AssertionError

    def restored(self) -> bytes:
        raise AssertionError


class Clock:
    """Time that passes only when an item says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(arrays, "perf_counter", clock)
    return clock  # type: ignore[return-value]


def blocks_of(items: list[Any], size: int) -> list[Block]:
    parts = [items[at : at + size] for at in range(0, len(items), size)]
    return [Block(pickle.dumps(part), 0, len(part)) for part in parts]


def make(function: Callable[[Any], Any], items: list[Any], size: int = 4, first: int = 0) -> Slice:
    return slice_class(function, {})(first, blocks_of(items, size))


def run(one: Slice) -> tuple[Mapped, list[Any], list[Slice]]:
    sink = Sink()
    with running(CurrentTask(sink)):
        mapped: Mapped = load_result(pickle.dumps(one()))
    return mapped, load_result(mapped.results), sink.pushed


def items_of(one: Slice) -> list[Any]:
    return [item for data, start, stop in one.blocks for item in pickle.loads(data)[start:stop]]


def test_every_item_has_its_result_in_order() -> None:
    mapped, results, rest = run(make(lambda number: number * 2, list(range(10))))
    assert (mapped.done, results, mapped.failures, rest) == (10, list(range(0, 20, 2)), {}, [])


def test_an_item_that_raises_fails_alone() -> None:
    def invert(number: int) -> float:
        if number == 9:
            raise SystemExit(3)
        return 1 / number

    mapped, results, _ = run(make(invert, [1, 0, 2, 9]))
    assert results == [1.0, None, 0.5, None]
    assert mapped.failures.keys() == {1, 3}
    assert mapped.failures[1].type == "ZeroDivisionError"
    assert "invert" in mapped.failures[1].traceback
    with pytest.raises(ZeroDivisionError):
        error_from(mapped.failures[1], load_exception).raise_()
    assert "sys.exit(3)" in mapped.failures[3].message


def test_a_result_that_cannot_travel_is_the_failure_of_its_item_alone() -> None:
    mapped, results, _ = run(make(lambda n: threading.Lock() if n == 1 else n, [0, 1, 2]))
    assert results == [0, None, 2]
    assert mapped.failures[1].kind == "not_serializable"
    assert "lock" in mapped.failures[1].message


def test_items_that_cannot_be_rebuilt_fail_and_others_go_on() -> None:
    bad = Block(b"no pickle", 0, 2)
    one = slice_class(str, {})(5, [bad, *blocks_of([7, 8], 2)])
    mapped, results, _ = run(one)
    assert results == [None, None, "7", "8"]
    assert mapped.failures.keys() == {0, 1}


def test_a_slice_that_takes_long_hands_its_rest_back(clock: Clock) -> None:
    done: list[int] = []

    def slow(number: int) -> int:
        clock.now += 0.001 if number < 3 else 1.0
        done.append(number)
        return number

    mapped, results, rest = run(make(slow, list(range(100)), size=7, first=50))
    # It finishes the item it is at, and not one more.
    assert results == done == [0, 1, 2, 3]
    assert len(rest) == MAX_PARTS
    assert [item for part in rest for item in items_of(part)] == list(range(4, 100))
    assert [part.first for part in rest] == [50 + items_of(part)[0] for part in rest]
    assert mapped.done == 4


def test_what_is_handed_back_is_divided_by_how_long_it_will_take(clock: Clock) -> None:
    def quick(number: int) -> int:
        clock.now += 0.0002
        return number

    mapped, _, rest = run(make(quick, list(range(150)), size=64))
    assert 95 <= mapped.done <= 101
    # About 50 items of 0.2 ms are left: ten milliseconds, two slices.
    assert len(rest) in (2, 3)
    assert sum(part.count for part in rest) == 150 - mapped.done


def test_a_slice_whose_last_item_takes_long_has_no_rest(clock: Clock) -> None:
    def slow(number: int) -> int:
        clock.now += number
        return number

    mapped, results, rest = run(make(slow, [0, 0, 5]))
    assert (mapped.done, results, rest) == (3, [0, 0, 5], [])


@pytest.mark.parametrize(("begin", "end"), [(0, 3), (2, 9), (4, 8), (9, 10), (0, 10)])
def test_a_part_has_the_items_between(begin: int, end: int) -> None:
    part = make(str, list(range(10)), size=4, first=20).part(begin, end)
    assert items_of(part) == list(range(begin, end))
    assert (part.first, part.count) == (20 + begin, end - begin)
    assert items_of(part.part(1, part.count)) == list(range(begin + 1, end))


def test_settings_and_names_are_those_of_the_function() -> None:
    @task(timeout=5, priority=3)
    def power(number: int) -> int:
        return number**2

    cls = slice_class(power, {"priority": 4})
    assert (cls.name, cls.timeout, cls.priority) == ("power", 5, 4)
    assert run(cls(0, blocks_of([3], 1)))[1] == [9]
    assert slice_class(int, {"name": "whole"}).name == "whole"


@pytest.mark.parametrize("wrong", [3, Task, "text"])
def test_what_is_no_function_is_refused(wrong: Any) -> None:
    with pytest.raises(UsageError, match="push_map takes a function"):
        slice_class(wrong, {})


@pytest.mark.parametrize(
    "option", [{"retry_on": OSError}, {"backoff": 1.0}, {"deadline": 60}, {"retry_on": "OSError"}]
)
def test_options_that_only_tasks_can_have_are_refused(option: dict[str, Any]) -> None:
    (name,) = option
    with pytest.raises(UsageError, match=f"push_map has no {name}, which is for tasks"):
        slice_class(str, option)
    decorated: Any = task(**option)(halve)
    with pytest.raises(UsageError, match=f"push_map has no {name}, which is for tasks"):
        slice_class(decorated, {})


def halve(number: int) -> float:
    return number / 2


def keep(number: int) -> int:
    current_task().checkpoint(number)
    return number


def test_items_have_no_checkpoints_of_their_own() -> None:
    """The next attempt could not say which of the items it is."""
    cls = slice_class(keep, {})
    current = CurrentTask(Sink())
    with running(current):
        mapped = cls(0, [Block(dump_items([1, 2], 0, "keep"), 0, 2)])()
    assert mapped.done == len(mapped.failures) == 2
    assert "the items of push_map have none" in mapped.failures[0].message
    with pytest.raises(AssertionError):  # of the sink: the task that follows may have some
        current.checkpoint(1)


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(UsageError, match="push_map of str: no option 'chunksize'"):
        slice_class(str, {"chunksize": 3})


async def asynchronous(number: int) -> int:
    return number


def test_an_async_function_is_refused() -> None:
    with pytest.raises(UsageError, match="async"):
        slice_class(asynchronous, {})
