"""Pages of tasks: what is on them, and what they cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import pytest

from concurrent_framework.master.state import TaskRecord
from concurrent_framework.model.ids import application_of, format_key, parse_key
from concurrent_framework.testing.cluster import SimCluster
from tests.simulation.orders import order

T = TypeVar("T")
WANTED: list[dict[str, Any]] = [
    {},
    {"application": "1"},
    {"application": "2"},
    {"application": "3"},
    {"worker": "w1"},
    {"state": "assigned"},
    {"state": "waiting", "application": "1"},
    {"state": "delayed"},
    {"state": "finishing"},
    {"state": "cancelling"},
    {"name": "3"},
    {"name": "3", "worker": "w1", "state": "assigned", "application": "2"},
]


class Counting(dict[int, TaskRecord]):
    """Tasks of a master that count how often somebody looks at one."""

    looks = 0

    def _counted(self, found: Iterable[T]) -> Iterator[T]:
        for one in found:
            self.looks += 1
            yield one

    def values(self) -> Any:
        return self._counted(super().values())

    def __iter__(self) -> Iterator[int]:
        return self._counted(super().__iter__())

    def __reversed__(self) -> Iterator[int]:
        return self._counted(super().__reversed__())

    def __contains__(self, key: object) -> bool:
        self.looks += 1
        return super().__contains__(key)


@pytest.fixture
def cluster() -> SimCluster:
    """One with tasks in all states: of an application, of one of its systems, and of another one."""
    cluster = SimCluster()
    for name in ("w1", "w2"):
        cluster.add_worker(name, executors=2)
    app, other = cluster.add_application("a"), cluster.add_application("b")
    app.push_system()
    cluster.run_for(0.1)
    host = cluster.started_hosts[-1]
    system = cluster.add_application(host, role="host", session=host)
    for seconds in (b"0.2", b"60"):
        for one in (app, other, system, app, system):
            one.push([seconds] * 7)
    app.push([b"0.1:?3:fine"], priority=9, retry_on=("OSError",), backoff=90.0, max_backoff=90.0)
    cluster.run_for(3.0)
    return cluster


def all_of(cluster: SimCluster, wanted: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all that a listing without pages would show."""
    state = cluster.master.state
    shown = order(cluster, "tasks", limit=10**6)["tasks"]
    assert {one["task"] for one in shown} == {format_key(key) for key in state.tasks}
    number = int(wanted.get("application", 0))
    parents = {one.number: one.parent for one in state.applications.values()}
    family = {one for one in parents if number in (0, one, parents[one])}
    return [
        one
        for one in shown
        if one["application"] in family
        and wanted.get("worker", "") in ("", one["worker"])
        and wanted.get("state", "") in ("", one["state"])
        and wanted.get("name", "") in one["name"]
    ]


def keys(tasks: list[dict[str, Any]]) -> list[str]:
    return [one["task"] for one in tasks]


@pytest.mark.parametrize("wanted", WANTED, ids=str)
@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_pages_have_everything_once(
    cluster: SimCluster, wanted: dict[str, Any], limit: int
) -> None:
    expected = all_of(cluster, wanted)
    found = []
    for offset in range(0, len(expected) + limit, limit):
        answer = order(cluster, "tasks", limit=limit, offset=offset, **wanted)
        assert answer["total"] == len(expected)
        found += answer["tasks"]
    assert sorted(keys(found)) == sorted(keys(expected))
    running = [one["worker"] != "" for one in found]
    assert running == sorted(running, reverse=True), "those at workers come first"


def test_there_are_tasks_in_all_states(cluster: SimCluster) -> None:
    states = {one["state"] for one in order(cluster, "tasks", limit=10**6)["tasks"]}
    assert states >= {"assigned", "waiting", "delayed"}


@pytest.mark.parametrize("application", ["1", "2"])
def test_what_waits_is_listed_as_it_was_submitted(cluster: SimCluster, application: str) -> None:
    listed = order(cluster, "tasks", limit=10**6, application=application)["tasks"]
    own = [one for one in listed if one["state"] == "waiting" and one["worker"] == ""]
    for number in {one["application"] for one in own}:
        sequences = [parse_key(one["task"]) for one in own if one["application"] == number]
        assert sequences == sorted(sequences)
        assert len(sequences) > 1


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"offset": 9_900},
        {"application": "2"},
        {"application": "2", "offset": 900},
        {"application": "1", "offset": 8_900},
        {"worker": "w1"},
        {"state": "assigned"},
        {"state": "finishing"},
    ],
    ids=str,
)
def test_a_page_costs_little_among_many_tasks(wanted: dict[str, Any]) -> None:
    cluster = SimCluster()
    cluster.add_worker("w1", executors=2)
    for name, count in (("a", 9_000), ("b", 1_000)):
        cluster.add_application(name).push([b"60"] * count)
        cluster.run_for(0.1)
    state = cluster.master.state
    state.tasks = tasks = Counting(state.tasks)
    answer = order(cluster, "tasks", limit=100, **wanted)
    assert answer["tasks"] or wanted.get("state") == "finishing"
    assert tasks.looks < 1500
    assert {application_of(one) for one in state.tasks} == {1, 2}


def test_a_filter_looks_at_each_task_once() -> None:
    cluster = SimCluster()
    cluster.add_application("a").push([b"60"] * 2_000)
    cluster.run_for(0.1)
    state = cluster.master.state
    state.tasks = tasks = Counting(state.tasks)
    assert order(cluster, "tasks", limit=100, state="delayed")["total"] == 0
    assert tasks.looks <= 2_100
