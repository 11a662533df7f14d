"""When a worker tells what came of its tasks: at once if it matters, together if it does not."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent_framework.model.ids import task_key
from concurrent_framework.model.resources import Capacity
from concurrent_framework.protocol import session as greet
from concurrent_framework.protocol import worker as say
from concurrent_framework.protocol.tasks import Assigned, Outcome
from concurrent_framework.testing.cluster import SimCluster
from concurrent_framework.worker import commands as do
from concurrent_framework.worker import events as on
from concurrent_framework.worker.reactor import Identity, WorkerReactor


class Worker:
    """A worker with two executors, and what it sent."""

    def __init__(self, linger: float = 1.0) -> None:
        self.reactor = WorkerReactor(Identity("s", "w1"), Capacity(executors=2), 0.0, linger=linger)
        self.hear(greet.Welcome("m", "master", 1, 10.0))

    def __call__(self, event: on.Event, now: float = 0.0) -> list[Any]:
        commands = self.reactor.handle([event], now)
        sends = [one for one in commands if isinstance(one, do.Send)]
        return [message for one in sends for message in one.messages]

    def hear(self, *messages: Any) -> list[Any]:
        return self(on.Received(list(messages)))

    def given(self, count: int) -> None:
        self.hear(say.Run([Assigned(task_key(1, n), 1, 0, b"") for n in range(1, count + 1)]))

    def ended(self, *numbers: int, now: float = 0.0, seconds: float = 0.7) -> list[Any]:
        return self(on.Reported(ends(*numbers, seconds=seconds), [], []), now)


def ends(*numbers: int, seconds: float = 0.7) -> list[Outcome]:
    return [Outcome(task_key(1, number), 1, seconds=seconds) for number in numbers]


@pytest.fixture
def worker() -> Worker:
    return Worker()


def test_outcomes_are_told_together_while_there_is_enough_to_do(worker: Worker) -> None:
    worker.given(9)
    assert worker.ended(1) == []
    assert worker.ended(2, now=0.5) == []
    assert worker.reactor.deadline() == 1.0
    assert worker(on.Tick(), 1.0) == [say.Outcomes(1, ends(1, 2))]
    assert worker.reactor.deadline() > 1.0


def test_outcomes_are_told_at_once_when_there_is_little_left_to_do(worker: Worker) -> None:
    worker.given(4)
    assert worker.ended(1) == []
    assert worker.ended(2) == [say.Outcomes(1, ends(1, 2))]
    assert worker.ended(3) == [say.Outcomes(2, ends(3))]


def test_outcomes_leave_with_whatever_else_is_said(worker: Worker) -> None:
    worker.given(9)
    worker.ended(1)
    back = on.GivenBack([(task_key(1, 9), 1)])
    assert worker(back) == [say.Recalled(((task_key(1, 9), 1),)), say.Outcomes(1, ends(1))]


def test_outcomes_that_wait_are_named_in_a_greeting_and_told_after_it(worker: Worker) -> None:
    worker.given(9)
    worker.ended(1)
    (hello,) = worker.hear(greet.Resync())
    assert isinstance(hello, greet.Hello)
    assert (task_key(1, 1), 1) in hello.holding
    answer = greet.Welcome("m", "master", 1, 10.0, greeting=hello.greeting)
    assert worker.hear(answer) == [say.Outcomes(1, ends(1))]


def test_outcomes_that_wait_are_told_before_leaving(worker: Worker) -> None:
    worker.given(9)
    worker.ended(1)
    assert worker(on.Stopping("it ends")) == [
        say.Outcomes(1, ends(1)),
        greet.Goodbye("it ends"),
    ]


@pytest.mark.parametrize("seconds", [0.0001, 0.015, 0.19])
def test_outcomes_wait_a_moment_as_long_as_one_application_has_work(seconds: float) -> None:
    worker = Worker(linger=0.05)
    worker.given(20 if seconds > 0.01 else 3000)
    assert worker.ended(1, seconds=seconds) == []
    assert worker.reactor.deadline() == 0.05


@pytest.mark.parametrize(("seconds", "waits"), [(0.015, 0.01), (0.09, 0.045), (0.19, 0.05)])
def test_outcomes_wait_less_or_half_a_task_where_others_have_work(
    seconds: float, waits: float
) -> None:
    worker = Worker(linger=0.05)
    worker.given(9)
    worker.hear(say.Run([Assigned(task_key(2, 1), 1, 0, b"")]))
    assert worker.ended(1, seconds=seconds) == []
    assert worker.reactor.deadline() == pytest.approx(waits)


def test_outcomes_do_not_wait_if_hardly_another_is_to_be_expected() -> None:
    worker = Worker(linger=0.05)
    worker.given(9)
    assert worker.ended(1, seconds=0.25) == [say.Outcomes(1, ends(1, seconds=0.25))]


@pytest.mark.parametrize("pattern", ["push", "pull"])
def test_short_tasks_cost_the_master_few_envelopes_and_no_time(pattern: str) -> None:
    took, reports = {}, {}
    for linger in (0.0, 0.002):
        cluster = SimCluster(pattern, linger=linger)
        worker, app = cluster.add_worker(executors=2), cluster.add_application()
        app.push([b"0.0005"] * 2000)
        cluster.run()
        assert len(app.outcomes) == 2000
        took[linger], reports[linger] = cluster.clock.now, worker.reactor._number
    assert took[0.002] < 1.05 * took[0.0] + 0.01
    if pattern == "push":
        assert reports[0.002] < 0.6 * reports[0.0]
