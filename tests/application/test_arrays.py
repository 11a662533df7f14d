"""Arrays without a master: how they are drawn, how slices grow, and what is told of each item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from concurrent_framework import NotSerializable, TaskError, UsageError
from concurrent_framework.application.arrays import AHEAD, SLICE_BYTES, Arrays, TaskArray
from concurrent_framework.application.sharing import Sharing
from concurrent_framework.model.outcome import Failure
from concurrent_framework.protocol.tasks import Outcome
from concurrent_framework.tasks.current import CurrentTask, running
from concurrent_framework.tasks.payload import dump_result, dump_state, load_task
from tests.tasks.test_arrays import Sink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from concurrent_framework.tasks.arrays import Slice


class Bench:
    """Draws an array and ends its slices as a cluster would, each taking the time it is told.

    Args:
        function: of the array.
        items: of the array.
        each: seconds an item is said to take.
        executors: of the swarm.

    """

    def __init__(
        self,
        function: Callable[[Any], Any],
        items: Iterable[Any],
        *,
        each: float = 1e-6,
        executors: int = 2,
        **options: Any,
    ) -> None:
        collect = options.pop("collect", True)
        self.arrays = Arrays(lambda: executors, Sharing())
        self.array = self.arrays.open(function, items, options, collect=collect)
        self.each = each
        self.waiting: list[Slice] = []
        self.sizes: list[int] = []
        self.told: list[int] = []
        self._slices = self.arrays.slices(self.array)

    def draw(self) -> None:
        while not self.array.exhausted and self.arrays.wants(self.array):
            for one in [next(self._slices, None)]:
                if one is not None:
                    self.sizes.append(one.count)
                    self.waiting.append(one)

    def end(self, one: Slice, outcome: Outcome | None = None) -> None:
        end = self.arrays.ended(one, outcome or self.run(one))
        self.waiting += end.again
        self.told += range(end.first, end.first + len(end.results))

    def run(self, one: Slice) -> Outcome:
        sink = Sink()
        with running(CurrentTask(sink)):
            result = dump_result(load_task(type(one), dump_state(one))())
        self.waiting += sink.pushed
        return Outcome(1, 1, result, seconds=one.count * self.each, children=len(sink.pushed))

    def finish(self) -> list[Any]:
        self.draw()
        while self.waiting:
            self.end(self.waiting.pop(0))
            self.draw()
        assert self.arrays.close_finished() == [self.array]
        assert sorted(self.told) == list(range(self.array.count))
        return self.array.results


def lost(kind: Any = "worker_lost") -> Outcome:
    return Outcome(1, 1, failure=Failure(kind, "WorkerLost", "it is gone"))


def test_results_are_in_the_order_of_the_items() -> None:
    assert Bench(lambda n: n * n, range(5000)).finish() == [n * n for n in range(5000)]


def test_an_array_may_finish_before_its_iterable_says_so() -> None:
    bench = Bench(str, range(AHEAD * 2 - 1))
    bench.draw()
    assert bench.array.exhausted
    for one in bench.waiting:
        bench.end(one)
    assert bench.arrays.close_finished() == [bench.array]
    # The engine asks once more.
    assert bench.arrays.wants(bench.array)
    assert next(bench._slices, None) is None


def test_an_empty_array_finishes() -> None:
    assert Bench(str, []).finish() == []


def test_tiny_items_soon_travel_by_the_thousands_and_long_ones_alone() -> None:
    quick = Bench(str, range(200_000))
    quick.finish()
    assert quick.sizes[0] == 1
    assert max(quick.sizes) > 2000
    assert len(quick.sizes) < 150
    slow = Bench(str, range(100), each=0.5)
    slow.finish()
    assert set(slow.sizes) == {1}


def test_one_long_item_makes_slices_small_again() -> None:
    bench = Bench(str, range(300_000), each=1e-6)
    while bench.array.count < 100_000:
        bench.draw()
        bench.end(bench.waiting.pop(0))
    bench.each = 0.1
    bench.end(bench.waiting.pop(0))
    bench.sizes.clear()
    bench.draw()
    assert bench.sizes == [1] * len(bench.sizes)


def test_no_more_is_drawn_than_the_swarm_needs() -> None:
    def endless() -> Iterator[int]:
        number = 0
        while True:
            yield number
            number += 1

    bench = Bench(str, endless(), executors=3)
    bench.draw()
    assert bench.array.count == AHEAD * 3
    bench.end(bench.waiting.pop())
    bench.draw()
    assert len(bench.waiting) == AHEAD * 3


def test_slices_are_bounded_in_bytes_too() -> None:
    bench = Bench(len, (bytes(100_000) for _ in range(300)), each=1e-7, collect=False)
    largest = 0
    bench.draw()
    while bench.waiting:
        one = bench.waiting.pop(0)
        largest = max(largest, len(dump_state(one)))
        bench.end(one)
        bench.draw()
    assert bench.array.finished
    assert max(bench.sizes) > 5
    assert largest < 2 * SLICE_BYTES


def test_results_are_bounded_in_bytes_too() -> None:
    bench = Bench(lambda _: bytes(100_000), range(300), each=1e-7, collect=False)
    bench.draw()
    while bench.waiting:
        bench.end(bench.waiting.pop(0))
        bench.draw()
    assert max(bench.sizes) <= 2 * SLICE_BYTES // 100_000


def test_a_slow_iterable_is_drawn_item_by_item(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    largest = [0]

    def slow() -> Iterator[int]:
        for number in range(2000):
            # Something quick at first, and then a second for each.
            now[0] += 1e-6 if number < 1000 else 1.0
            yield number

    bench = Bench(str, slow())
    bench.draw()
    while bench.array.count < 1000:
        bench.end(bench.waiting.pop(0))
        bench.draw()
    drawing = bench.arrays.drawings[type(bench.waiting[0])]
    before = bench.array.count
    while bench.array.count < 1900:
        bench.end(bench.waiting.pop(0))
        bench.draw()
        largest[0] = max(largest[0], drawing._block)
    assert before >= 1000
    assert drawing._block == 1


def test_errors_stand_where_items_failed() -> None:
    bench = Bench(lambda n: 12 // n, [1, 0, 3])
    results = bench.finish()
    assert (results[0], results[2]) == (12, 4)
    assert isinstance(results[1], TaskError)
    assert results[1].type == "ZeroDivisionError"
    assert (bench.array.ended, bench.array.failed) == (3, 1)


def test_a_slice_that_is_lost_is_divided_until_the_item_to_blame_is_alone() -> None:
    bench = Bench(str, range(500), each=1e-6)
    bench.draw()
    culprit = 333
    while bench.waiting:
        one = bench.waiting.pop(0)
        guilty = one.first <= culprit < one.first + one.count
        bench.end(one, lost() if guilty else None)
        bench.draw()
    bench.arrays.close_finished()
    assert sorted(bench.told) == list(range(500))
    failed = [at for at, one in enumerate(bench.array.results) if isinstance(one, TaskError)]
    assert failed == [culprit]


@pytest.mark.parametrize(
    ("kind", "options"), [("cancelled", {}), ("worker_lost", {"idempotent": False})]
)
def test_what_may_not_be_tried_again_fails_as_a_whole(kind: str, options: dict[str, Any]) -> None:
    bench = Bench(str, range(100), **options)
    while max(bench.sizes, default=0) < 2:
        bench.draw()
        bench.end(bench.waiting.pop(0))
    several = next(one for one in bench.waiting if one.count > 1)
    bench.waiting.remove(several)
    bench.end(several, lost(kind))
    bench.finish()
    errors = [at for at, one in enumerate(bench.array.results) if isinstance(one, TaskError)]
    assert errors == list(range(several.first, several.first + several.count))


def test_results_are_there_when_it_has_finished_and_if_asked_for() -> None:
    bench = Bench(str, range(3))
    with pytest.raises(UsageError, match="has not finished"):
        _ = bench.array.results
    with pytest.raises(UsageError, match="collect=True"):
        _ = TaskArray("plain").results


def test_an_item_that_cannot_be_sent_is_named() -> None:
    bench = Bench(str, [1, 2, {"lock": __import__("threading").Lock()}])
    with pytest.raises(NotSerializable, match=r"items of str cannot be sent: item 2\['lock'\]"):
        bench.draw()


@pytest.mark.parametrize("wrong", [3, None])
def test_what_cannot_be_iterated_is_refused(wrong: Any) -> None:
    with pytest.raises(UsageError, match="push_map takes an iterable"):
        Bench(str, wrong)


def test_other_tasks_that_items_make_are_no_slices() -> None:
    """They would be taken for slices under way, and nothing more would be drawn."""
    bench = Bench(str, range(100), each=0.01, executors=1)
    bench.draw()
    for _ in range(20):
        one = bench.waiting.pop(0)
        outcome = bench.run(one)
        outcome.children += 5
        bench.end(one, outcome)
        bench.draw()
    assert bench.finish() == [str(number) for number in range(100)]
