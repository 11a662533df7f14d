"""The ready-made systems, driven without a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent_framework import (
    Farm,
    MapReduce,
    Search,
    Task,
    TaskError,
    TaskGraph,
    UsageError,
    task,
)
from tests.application.drive import drive


def square(number: int) -> int:
    if number < 0:
        raise ValueError(f"{number} is negative")
    return number**2


@task
def cube(number: int) -> int:
    return number**3


class Double(Task):
    def __init__(self, number: int) -> None:
        super().__init__(f"double {number}")
        self.number = number

    def __call__(self) -> int:
        return 2 * self.number


def seven_doubles() -> Any:
    return (Double(number) for number in range(7))


# Farm


@pytest.mark.parametrize(
    ("farm", "expected"),
    [
        (Farm(square, range(20)), [n**2 for n in range(20)]),
        (Farm(square, iter([3, 1, 2])), [9, 1, 4]),
        (Farm(cube, [1, 2, 3]), [1, 8, 27]),
        (Farm(Double, range(5)), [0, 2, 4, 6, 8]),
        (Farm([Double(3), Double(1)]), [6, 2]),
        (Farm(seven_doubles), [0, 2, 4, 6, 8, 10, 12]),
        (Farm(square, []), []),
    ],
)
def test_a_farm_returns_results_in_order(farm: Farm, expected: list[int]) -> None:
    result, master = drive(farm)
    assert result == expected
    if expected:
        assert master.noted[-1][0] == len(expected)


def add(so_far: int, result: int) -> int:
    return so_far + result


@pytest.mark.parametrize(
    ("options", "numbers", "expected"),
    [
        ({}, range(5), 30),
        ({"initial": 100}, range(5), 130),
        ({"initial": 0}, [], 0),
        ({}, [], None),
    ],
)
def test_a_farm_can_fold_results(options: dict[str, Any], numbers: Any, expected: Any) -> None:
    assert drive(Farm(square, numbers, combine=add, **options))[0] == expected


def test_a_farm_ends_with_the_first_error_or_keeps_it() -> None:
    with pytest.raises(TaskError, match="task square: -1 is negative") as caught:
        drive(Farm(square, [1, -1, 2]))
    assert caught.value.type == "ValueError"
    assert "in square" in caught.value.traceback
    result, _ = drive(Farm(square, [1, -1, 2], on_error="keep"))
    assert (result[0], result[2]) == (1, 4)
    assert isinstance(result[1], TaskError)
    assert drive(Farm(square, [1, -1, 2], on_error="keep", combine=add))[0] == 5


@pytest.mark.parametrize(
    "make",
    [
        lambda: Farm(5),  # type: ignore[arg-type]
        lambda: Farm(Double),
        lambda: Farm(5, [1]),  # type: ignore[arg-type]
        lambda: Farm(square, 5),  # type: ignore[arg-type]
        lambda: Farm(square, [1], on_error="ignore"),  # type: ignore[arg-type]
    ],
)
def test_arguments_that_cannot_be_are_told_at_once(make: Any) -> None:
    with pytest.raises(UsageError):
        make()


def test_something_else_than_a_task_is_told() -> None:
    with pytest.raises(UsageError, match="expected a task, got 1"):
        drive(Farm([1, 2]))  # type: ignore[list-item]


# Search


def first_multiple(numbers: range) -> int | None:
    return next((n for n in numbers if n and n % 97 == 0), None)


def test_a_search_stops_at_the_first_hit() -> None:
    parts = [range(start, start + 10) for start in range(0, 10_000, 10)]
    result, master = drive(Search(first_multiple, inputs=parts))
    assert result % 97 == 0
    assert master.count < 100


def test_a_search_without_a_hit_returns_none() -> None:
    assert drive(Search(first_multiple, inputs=[range(5), range(5, 9)]))[0] is None


def is_sixteen(result: int) -> bool:
    return result == 16


def test_a_search_may_have_a_predicate() -> None:
    assert drive(Search([Double(n) for n in range(20)], is_sixteen))[0] == 16
    assert drive(Search([Double(n) for n in range(5)], is_sixteen))[0] is None


def test_a_search_fails_with_a_task_or_skips_it() -> None:
    with pytest.raises(TaskError, match="-3 is negative"):
        drive(Search(square, is_sixteen, inputs=[-3]))
    assert drive(Search(square, is_sixteen, inputs=[-3, 4], on_error="skip"))[0] == 16


# MapReduce


def words(line: str) -> Any:
    if "bad" in line:
        raise ValueError(line)
    return ((word, 1) for word in line.split())


def count(_word: str, ones: list[int]) -> int:
    return sum(ones)


LINES = ["to be or", "not to be", "that is", "the question"]
COUNTS = {"to": 2, "be": 2, "or": 1, "not": 1, "that": 1, "is": 1, "the": 1, "question": 1}


@pytest.mark.parametrize("combine", [None, count])
@pytest.mark.parametrize(("chunk", "partitions"), [(1, 0), (3, 2), (10, 1)])
def test_map_reduce_counts_words(combine: Any, chunk: int, partitions: int) -> None:
    system = MapReduce(words, count, LINES, combine=combine, chunk=chunk, partitions=partitions)
    result, master = drive(system)
    assert result == COUNTS
    assert master.count == -(-len(LINES) // chunk) + (partitions or 8)


def test_map_reduce_of_nothing_is_empty() -> None:
    assert drive(MapReduce(words, count, []))[0] == {}


def lengths(word: str) -> dict[int, str]:
    return {len(word): word}


def longest(_length: int, several: list[str]) -> str:
    return max(several)


def test_map_may_return_a_dict() -> None:
    assert drive(MapReduce(lengths, longest, ["a", "b", "cd"]))[0] == {1: "b", 2: "cd"}


def test_map_reduce_fails_with_a_task_or_leaves_it_out() -> None:
    with pytest.raises(TaskError, match="task map: bad line"):
        drive(MapReduce(words, count, [*LINES, "bad line"]))
    assert drive(MapReduce(words, count, [*LINES, "bad line"], on_error="skip"))[0] == COUNTS


@pytest.mark.parametrize("options", [{"chunk": 0}, {"partitions": -1}, {"combine": 5}])
def test_map_reduce_checks_its_arguments(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        MapReduce(words, count, LINES, **options)


# TaskGraph


def join(parts: list[int], *, last: int = 0) -> list[int]:
    return [*parts, last]


class Sum(Task):
    inputs: dict[str, int]

    def __call__(self) -> int:
        return sum(self.inputs.values())


def test_a_graph_hands_results_on() -> None:
    graph = TaskGraph()
    a, b = graph.add(square, 3), graph.add(cube, 2)
    both = graph.add(join, [a, (b)], last=a, name="both")
    graph.add(Sum("total"), after=[a, b])
    graph.add(len, both)
    for seed in range(10):
        result, master = drive(graph, seed=seed)
        assert result == {"total": 17, "len": 3}
        assert master.noted[-1][:2] == (5, 5)


def test_a_graph_keeps_what_is_asked_for() -> None:
    graph = TaskGraph()
    nodes = [graph.add(square, number, keep=number == 1) for number in range(3)]
    graph.add(join, nodes)
    assert drive(graph)[0] == {"square-2": 1, "join": [0, 1, 4, 0]}


def test_order_without_results() -> None:
    graph = TaskGraph()
    last = graph.add(square, 2, name="last")
    first = graph.add(square, 1, name="first")
    graph.depend(last, on=first)
    graph.depend(last, on=first)
    assert drive(graph, window=1)[0] == {"last": 4}


def test_a_circle_is_refused_where_it_closes() -> None:
    graph = TaskGraph()
    a = graph.add(square, 1, name="a")
    b = graph.add(square, a, name="b")
    c = graph.add(square, b, name="c")
    with pytest.raises(UsageError, match="a cannot wait for c, which waits for it: c → b → a → c"):
        graph.depend(a, on=c)
    with pytest.raises(UsageError, match="a → a"):
        graph.depend(a, on=a)
    assert drive(graph)[0] == {"c": 1}


def test_a_graph_checks_its_arguments() -> None:
    graph, other = TaskGraph(), TaskGraph()
    stranger = other.add(square, 1)
    graph.add(square, 1, name="one")
    with pytest.raises(UsageError, match="named 'one'"):
        graph.add(square, 1, name="one")
    with pytest.raises(UsageError, match="no node of this graph"):
        graph.add(square, stranger)
    with pytest.raises(UsageError, match="takes no arguments"):
        graph.add(Double(1), 2)
    with pytest.raises(UsageError):
        graph.add(5)  # type: ignore[arg-type]
    assert repr(graph) == "<TaskGraph 'TaskGraph': 1 nodes>"


def test_a_failure_ends_a_graph_or_only_what_depends_on_it() -> None:
    def build(on_error: Any) -> TaskGraph:
        graph = TaskGraph(on_error=on_error)
        bad = graph.add(square, -1, name="bad")
        good = graph.add(square, 2, name="good")
        middle = graph.add(join, [bad, good], name="middle")
        graph.add(square, middle, name="end")
        graph.add(square, good, name="other")
        return graph

    with pytest.raises(TaskError, match="task bad: -1 is negative"):
        drive(build("raise"))
    for seed in range(10):
        result, _ = drive(build("keep"), seed=seed)
        assert result["other"] == 16
        assert isinstance(result["end"], TaskError)
        assert sorted(result) == ["end", "other"]


def test_an_empty_graph_has_no_results() -> None:
    assert drive(TaskGraph())[0] == {}
