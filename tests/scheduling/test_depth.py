"""How much work a worker may be given."""

from __future__ import annotations

import pytest

from concurrent_framework.model.outcome import Failure
from concurrent_framework.protocol.tasks import Outcome
from concurrent_framework.scheduling.base import WorkerView
from concurrent_framework.scheduling.depth import (
    BRIEF_SECONDS,
    DEPTH_SECONDS,
    FAILED_SECONDS,
    SHARED_DEPTH_SECONDS,
    crowding,
    room,
    seconds_of,
    tasks_in_flight,
)

LONG = 2 * BRIEF_SECONDS
BRIEF = 0.5 * BRIEF_SECONDS


def room_of_four(
    occupied: float, lengthy: float, seconds: float | None, *, each: float = BRIEF
) -> int:
    """Return the room of a worker with four executors whose tasks take `each` so long."""
    brief = crowding(occupied - lengthy, each)
    worker = WorkerView(1, 0, 4, occupied, occupied * each, lengthy=lengthy, crowd=brief)
    return room(worker, 1.0, seconds)


@pytest.mark.parametrize("seconds", [None, LONG])
def test_nothing_waits_behind_what_is_not_known_to_be_brief(seconds: float | None) -> None:
    assert room_of_four(0, 0, seconds) == 4
    assert room_of_four(1, 1, seconds) == 3
    assert room_of_four(4, 4, seconds) == 0
    assert room_of_four(4, 4, BRIEF) == 0


def test_one_waits_behind_each_that_is_brief() -> None:
    assert room_of_four(0, 0, BRIEF) == 8
    assert room_of_four(7, 0, BRIEF) == 1
    assert room_of_four(8, 0, BRIEF) == 0
    assert room_of_four(5, 2, BRIEF) == 1, "two wait behind the two brief ones, one of them does"


@pytest.mark.parametrize("seconds", [None, LONG])
def test_what_is_not_brief_may_wait_behind_what_is(seconds: float | None) -> None:
    assert room_of_four(7, 0, seconds) == 1
    assert room_of_four(7, 1, seconds) == 0
    assert room_of_four(2, 0, seconds) == 4, "no more than can run at a time"


def test_nothing_waits_where_nothing_may() -> None:
    assert room_of_four(1, 4, BRIEF) == room_of_four(1, 4, LONG) == room_of_four(1, 4, None) == 3
    assert room_of_four(4, 4, BRIEF) == 0


def test_short_tasks_come_in_batches_that_cover_the_depth() -> None:
    seconds = DEPTH_SECONDS / 100
    assert room_of_four(0, 0, seconds) == 400
    assert room_of_four(300, 0, seconds, each=seconds) == 100
    assert room_of_four(300, 4, seconds, each=seconds) == 100, "whatever else may not wait"


def test_others_that_wait_make_the_depth_less() -> None:
    seconds = SHARED_DEPTH_SECONDS / 100
    worker = WorkerView(1, 0, 4, 0, 0.0)
    assert room(worker._replace(depth=SHARED_DEPTH_SECONDS), 1.0, seconds) == 400
    assert room(worker, 1.0, seconds) > 400


def test_a_task_larger_than_the_worker_is_taken_by_an_empty_one() -> None:
    assert room(WorkerView(1, 0, 2, 0, 0.0), 4.0, LONG) == 1
    assert room(WorkerView(1, 0, 2, 1, 0.1, crowd=1), 4.0, LONG) == 0


@pytest.mark.parametrize("seconds", [None, LONG])
def test_many_that_are_short_do_not_take_the_place_of_what_is_not_known_to_be(
    seconds: float | None,
) -> None:
    short = SHARED_DEPTH_SECONDS / 100
    assert room_of_four(400, 0, seconds, each=short) == 4
    assert room_of_four(600, 0, seconds, each=short) == 2
    assert room_of_four(602, 2, seconds, each=short) == 0, "two that are not wait behind them"


def test_a_worker_asks_for_what_it_may_be_given() -> None:
    for seconds in (None, LONG, BRIEF, DEPTH_SECONDS / 100):
        assert tasks_in_flight(4, 1.0, seconds) == room_of_four(0, 0, seconds)


def test_a_failure_at_once_does_not_make_tasks_short() -> None:
    failed = Outcome(1, 1, seconds=1e-5, failure=Failure("failed", "ValueError", "no"))
    assert seconds_of(failed, None) == FAILED_SECONDS
    assert seconds_of(failed, 0.3) == 0.3
    assert seconds_of(failed, 1e-6) == 1e-5
    assert seconds_of(Outcome(1, 1, seconds=1e-5), 0.3) == 1e-5
