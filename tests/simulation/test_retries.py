"""What is attempted again, when, and what ends for good; on pure cores and a fake clock."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from concurrent_framework.application.events import CancelAsked
from concurrent_framework.master.explain import explain
from concurrent_framework.model.ids import task_key
from concurrent_framework.model.outcome import Failure
from concurrent_framework.testing.cluster import SimCluster
from concurrent_framework.testing.nodes import SimApplication


@pytest.fixture(params=["push", "pull"])
def cluster(request: pytest.FixtureRequest) -> SimCluster:
    return SimCluster(request.param)


def failure_of(app: SimApplication, sequence: int = 1) -> Failure:
    [outcome] = [one for one in app.outcomes if one.key & 0xFFFF == sequence]
    assert outcome.failure is not None, outcome
    return outcome.failure


def text_of(cluster: SimCluster, sequence: int = 1) -> str:
    return str(explain(cluster.master, task_key(1, sequence))["text"])


RETRY: dict[str, Any] = {"retry_on": ("OSError",), "max_attempts": 3}


def test_an_error_that_is_named_is_attempted_again(cluster: SimCluster) -> None:
    worker = cluster.add_worker()
    app = cluster.add_application()
    app.push([b"0.1:?3:fine"], **RETRY)
    cluster.run()
    [outcome] = app.outcomes
    assert (outcome.result, outcome.failure, outcome.attempt) == (b"fine", None, 3)
    assert len(worker.manager.started) == 3


def test_the_attempts_end_at_their_maximum_and_are_all_told(cluster: SimCluster) -> None:
    worker = cluster.add_worker()
    app = cluster.add_application()
    app.push([b"0.1:?99:fine"], **RETRY)
    app.push([b"0.1:?99:fine"])
    cluster.run()
    failure = failure_of(app)
    assert (failure.kind, failure.message) == ("failed", "no route")
    ends = [(one.number, one.worker, one.end) for one in failure.certificate.attempts]
    assert ends == [(number, worker.name, "OSError: no route") for number in (1, 2, 3)]
    assert len(failure_of(app, 2).certificate.attempts) == 1, "it names no error"


def test_losses_and_failures_share_the_attempts(cluster: SimCluster) -> None:
    worker = cluster.add_worker()
    app = cluster.add_application()
    worker.manager.broken = True
    app.push([b"0.5:?99:fine"], **RETRY)
    cluster.run_for(0.7)
    worker.manager.broken = False
    cluster.run()
    ends = [one.end.partition(":")[0] for one in failure_of(app).certificate.attempts]
    assert ends == ["WorkerLost", "OSError", "OSError"]


def test_the_delay_doubles_up_to_its_maximum_and_is_explained(cluster: SimCluster) -> None:
    cluster.add_worker()
    app = cluster.add_application()
    options = {**RETRY, "max_attempts": 6, "backoff": 4.0, "max_backoff": 16.0}
    app.push([b"0:?99:fine"], **options)
    cluster.run_for(0.5)
    text = text_of(cluster)
    assert text.startswith("it waits ")
    assert text.endswith(" s more before attempt 2 of 6 after OSError: no route")
    cluster.run()
    attempts = failure_of(app).certificate.attempts
    waits = [after.started - before.ended for before, after in pairwise(attempts)]
    longest_waits = (4, 8, 16, 16, 16)
    for wait, longest in zip(waits, longest_waits, strict=True):
        assert 0.75 * longest <= wait <= longest + 0.01
    parts = {round(wait / longest, 6) for wait, longest in zip(waits, longest_waits, strict=True)}
    assert len(parts) == 5


def test_tasks_that_failed_together_do_not_come_back_together() -> None:
    def starts() -> list[float]:
        cluster = SimCluster()
        cluster.add_worker(executors=50)
        app = cluster.add_application()
        app.push([b"0:?2:fine"] * 50, **RETRY, backoff=8.0, max_backoff=60.0)
        cluster.run_for(1)
        return sorted(record.due for record in cluster.master.state.tasks.values())

    due = starts()
    assert due[-1] - due[0] > 1.5
    assert due == starts(), "the same tasks wait equally long in each run"


def test_a_waiting_task_costs_nothing(cluster: SimCluster) -> None:
    cluster.add_worker()
    app = cluster.add_application()
    app.push([b"0:?2:fine"], **RETRY, backoff=1000.0, max_backoff=2000.0)
    cluster.run_for(1)
    state = cluster.master.state
    assert state.queue.live == 0
    assert state.agenda.next == state.tasks[task_key(1, 1)].due > 750
    cluster.run()
    assert 750 < cluster.clock.now < 1002
    assert app.outcomes[0].result == b"fine"


def test_a_delayed_task_can_be_cancelled(cluster: SimCluster) -> None:
    cluster.add_worker()
    app = cluster.add_application()
    app.push([b"0:?2:fine"] * 3, **RETRY, backoff=1000.0, max_backoff=1000.0)
    cluster.run_for(1)
    app.feed([CancelAsked((1, 2))])
    cluster.run_for(1)
    assert [one.failure and one.failure.kind for one in app.outcomes] == ["cancelled"] * 2
    cluster.run()
    assert [one.result for one in app.outcomes][2:] == [b"fine"]


def test_a_worker_that_comes_back_goes_on_with_a_task_that_was_delayed(
    cluster: SimCluster,
) -> None:
    worker = cluster.add_worker(executors=1)
    app = cluster.add_application()
    app.push([b"20:fine"], backoff=60.0, max_backoff=60.0)
    cluster.run_for(1)
    worker.cut()
    cluster.run_for(15)
    assert "before attempt 2 of 3 after worker lost" in text_of(cluster)
    worker.mend()
    cluster.run()
    assert worker.manager.started == [(task_key(1, 1), 1)]
    assert app.outcomes[0].result == b"fine"
    assert cluster.clock.now < 22


def test_a_deadline_ends_a_task_wherever_it_is(cluster: SimCluster) -> None:
    cluster.add_worker(executors=1)
    app = cluster.add_application()
    app.push([b"50:late"], deadline=10.0)
    app.push([b"1:waits"], deadline=5.0)
    app.push([b"1:in time"], deadline=100.0)
    app.push([b"0:?9:fine"], **RETRY, deadline=30.0, backoff=1000.0, max_backoff=1000.0)
    app.push([b"1:none"])
    cluster.run_for(5.5)
    assert [one.key & 0xFF for one in app.outcomes] == [2]
    cluster.run_for(5)
    assert [one.key & 0xFF for one in app.outcomes] == [2, 1]
    cluster.run()
    assert cluster.clock.now == pytest.approx(30, abs=0.5)
    for sequence, seconds in ((1, 10), (2, 5), (4, 30)):
        failure = failure_of(app, sequence)
        assert (failure.kind, failure.type) == ("timeout", "TaskTimeout")
        assert f"had not ended by its deadline, {seconds} s after" in failure.message
    assert failure_of(app, 4).message.endswith("its last attempt ended with OSError: no route")
    assert [one.attempt for one in app.outcomes if one.key & 0xFF == 2] == [0]
    assert {one.result for one in app.outcomes if one.failure is None} == {b"in time", b"none"}


def test_a_deadline_that_comes_while_the_worker_is_cut_off(cluster: SimCluster) -> None:
    worker = cluster.add_worker(executors=1)
    app = cluster.add_application()
    app.push([b"50:late"], deadline=3.0)
    cluster.run_for(1)
    worker.cut()
    cluster.run_for(4)
    worker.mend()
    cluster.run_for(10)
    assert failure_of(app).kind == "timeout"
    worker.kill()
    cluster.run_for(15)
    assert len(app.outcomes) == 1


def test_deadlines_of_tasks_that_have_ended_take_no_memory(cluster: SimCluster) -> None:
    cluster.add_worker(executors=4)
    app = cluster.add_application()
    for _ in range(30):
        app.push([b"0"] * 300, deadline=1e6)
        cluster.run()
    assert len(app.outcomes) == 9000
    assert len(cluster.master.state.agenda) < 2500


def test_of_a_lost_worker_is_told_what_is_known(cluster: SimCluster) -> None:
    worker = cluster.add_worker("w", host="lab")
    app = cluster.add_application()
    app.push([b"50:fine"], max_attempts=1)
    cluster.run_for(1)
    worker.kill()
    cluster.run()
    failure = failure_of(app)
    assert "nothing had been heard of its process for 1" in failure.message
    assert "how that ended, and with how much memory, is not known" in failure.message
    certificate = failure.certificate
    assert (certificate.worker, certificate.exit_code, certificate.signal) == ("w", None, 0)
    [attempt] = certificate.attempts
    assert (attempt.worker, attempt.end) == ("w", "worker lost")
