"""What has happened lately is numbered and bounded."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from concurrent_framework.master.chronicle import KEPT_EVENTS, KEPT_RUNS, Chronicle
from concurrent_framework.master.state import SpecRecord, TaskRecord
from concurrent_framework.model.ids import task_key
from concurrent_framework.model.spec import CodeReference, TaskSpec
from concurrent_framework.protocol.tasks import NewTask, Outcome

KEY = task_key(3, 17)


def run(chronicle: Chronicle, worker: str, tasks: int) -> None:
    spec = SpecRecord(1, TaskSpec(CodeReference("m", "T")))
    record = TaskRecord(KEY, spec, NewTask(1, "t", b""), since=3.0, arrived=1.0)
    chronicle.ran(worker, record, Outcome(KEY, 1, seconds=0.5), tasks)


def numbers(events: list[dict[str, Any]]) -> list[int]:
    return [one["id"] for one in events]


def test_happenings_and_runs_are_told_in_order() -> None:
    chronicle = Chronicle(1000.0)
    chronicle.now = 5.0
    chronicle.note("worker.joined", "info", "w1 joined", {"worker": "w1"})
    run(chronicle, "w1", 7)
    chronicle.failed(KEY, "t", "w1", "oops")
    joined, ran, failed = chronicle.since(0, 10, runs=True)
    assert joined == {
        "id": 1,
        "time": 1005.0,
        "kind": "worker.joined",
        "level": "info",
        "text": "w1 joined",
        "worker": "w1",
    }
    assert (ran["kind"], ran["task"], ran["tasks"], ran["application"]) == (
        "tasks.ran",
        "3/17",
        7,
        3,
    )
    assert (ran["queued"], ran["away"], ran["seconds"]) == (2.0, 2.0, 0.5)
    assert (failed["kind"], failed["task"], failed["text"]) == ("task.failed", "3/17", "oops")
    assert numbers(chronicle.since(0, 10, runs=False)) == [1, 3]
    assert numbers(chronicle.since(1, 10, runs=True)) == [2, 3]
    assert numbers(chronicle.newest(2, runs=True)) == [2, 3]
    assert chronicle.newest(0, runs=True) == []


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 70), st.integers(1, 30))
def test_pages_lose_and_repeat_nothing(rare: list[bool], start: int, limit: int) -> None:
    chronicle = Chronicle(0.0)
    for one in rare:
        if one:
            chronicle.note("a.b", "info", "", {})
        else:
            run(chronicle, "w", 1)
    found: list[int] = []
    last = start
    while page := numbers(chronicle.since(last, limit, runs=True)):
        found += page
        last = page[-1]
    assert found == list(range(start + 1, len(rare) + 1))


def test_many_runs_push_out_no_happening() -> None:
    chronicle = Chronicle(0.0)
    chronicle.note("worker.joined", "info", "", {})
    for _ in range(KEPT_RUNS + 10):
        run(chronicle, "w", 1)
    assert numbers(chronicle.since(0, 1, runs=True)) == [1]
    assert len(chronicle.since(0, 10**6, runs=True)) == KEPT_RUNS + 1
    for _ in range(KEPT_EVENTS + 10):
        chronicle.note("a.b", "info", "", {})
    assert len(chronicle.since(0, 10**6, runs=False)) == KEPT_EVENTS
