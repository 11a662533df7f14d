"""Pausing, resuming and preferring applications, and cancelling, on pure cores and a fake clock."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent_framework.application.events import Leaving
from concurrent_framework.master.explain import explain
from concurrent_framework.model.ids import task_key
from concurrent_framework.testing.cluster import SimCluster
from concurrent_framework.testing.nodes import SimApplication
from tests.simulation.orders import RefusedOrderError, order


@pytest.fixture(params=["push", "pull"])
def cluster(request: pytest.FixtureRequest) -> SimCluster:
    return SimCluster(request.param)


def with_system(cluster: SimCluster, app: SimApplication) -> SimApplication:
    """Push a system and start its host."""
    app.push_system()
    cluster.run_for(0.1)
    host = cluster.started_hosts[-1]
    return cluster.add_application(host, role="host", session=host)


def test_a_paused_application_gets_nothing_until_it_is_resumed(cluster: SimCluster) -> None:
    worker = cluster.add_worker(executors=2)
    app, other = cluster.add_application("a"), cluster.add_application("b")
    app.push([b"5:fine"] * 10)
    cluster.run_for(1)
    done = order(cluster, "pause", application="a")
    assert done == {"application": 1, "name": "a", "waiting": 8, "running": 2}
    other.push([b"1:other"] * 4)
    app.push([b"5:fine"])
    cluster.run_for(20)
    assert len(other.outcomes) == 4
    assert len(app.outcomes) == 2, "what ran went on"
    assert len(worker.manager.started) == 6
    text = explain(cluster.master, task_key(1, 11))["text"]
    assert text == "its application is paused; go on with `concurrent resume 1`"
    [view] = [one for one in order(cluster, "applications") if one["name"] == "a"]
    assert view["paused"]
    assert order(cluster, "resume", target="1") == {"application": 1, "name": "a"}
    cluster.run()
    assert len(app.outcomes) == 11


def test_a_pause_holds_for_the_systems_of_an_application(cluster: SimCluster) -> None:
    cluster.add_worker(executors=1)
    app = cluster.add_application("a")
    host = with_system(cluster, app)
    order(cluster, "pause", application="a")
    later = with_system(cluster, app)
    for one in (host, later):
        one.push([b"1:fine"] * 2)
    cluster.run_for(10)
    assert not host.outcomes
    assert not later.outcomes
    order(cluster, "resume", target="a")
    cluster.run_for(10)
    assert len(host.outcomes) == len(later.outcomes) == 2


def test_one_that_was_paused_has_saved_up_no_share(cluster: SimCluster) -> None:
    cluster.add_worker(executors=2)
    app, other = cluster.add_application("a"), cluster.add_application("b")
    app.push([b"0.1"] * 500)
    other.push([b"0.1"] * 2000)
    cluster.run_for(1)
    order(cluster, "pause", application="a")
    cluster.run_for(20)
    order(cluster, "resume", target="a")
    before = len(app.outcomes), len(other.outcomes)
    cluster.run_for(5)
    gained = len(app.outcomes) - before[0], len(other.outcomes) - before[1]
    assert gained[1] / sum(gained) == pytest.approx(0.5, abs=0.1)


def test_idle_workers_still_help_when_a_paused_application_waits() -> None:
    cluster = SimCluster("push")
    cluster.add_worker(executors=1)
    app, paused = cluster.add_application("a"), cluster.add_application("b")
    order(cluster, "pause", application="b")
    paused.push([b"1"] * 100)
    app.push([b"0.0001"] * 50)
    cluster.run_for(1)
    app.push([b"1"] * 40)
    cluster.run_for(0.1)
    late = cluster.add_worker(executors=1)
    cluster.run_for(60)
    assert len(late.manager.started) >= 15


def test_a_raised_priority_goes_first_and_an_own_one_is_added(cluster: SimCluster) -> None:
    cluster.add_worker(executors=1)
    app, other = cluster.add_application("a"), cluster.add_application("b")
    app.push([b"1:a"] * 5)
    other.push([b"1:b0"] * 3)
    other.push([b"1:b2"] * 2, priority=2)
    done = order(cluster, "priority", application="b", priority=5)
    assert done == {"application": 2, "name": "b", "priority": 5, "weight": 1.0}
    other.push([b"1:b9"], priority=9)
    cluster.run()
    seen = sorted((one for app in (app, other) for one in app.outcomes), key=_started(cluster))
    results = [one.result for one in seen][1:]  # the first ran already
    assert [one for one in results if one != b"a"] == [b"b9", b"b2", b"b2", b"b0", b"b0", b"b0"]
    assert results[-4:] == [b"a"] * 4
    [view] = [one for one in order(cluster, "applications") if one["name"] == "b"]
    assert view["priority"] == 5


def _started(cluster: SimCluster) -> Any:
    [worker] = [node for node in cluster.nodes if hasattr(node, "manager")]
    order_of = {key: index for index, (key, _) in enumerate(worker.manager.started)}
    return lambda outcome: order_of[outcome.key]


def test_a_weight_holds_from_now_on_and_after_a_reconnect(cluster: SimCluster) -> None:
    cluster.add_worker(executors=4)
    light, heavy = cluster.add_application("a"), cluster.add_application("b")
    light.push([b"0.1"] * 2000)
    heavy.push([b"0.1"] * 2000)
    cluster.run_for(1)
    order(cluster, "priority", application="b", weight=3.0)
    heavy.cut()
    cluster.run_for(1)
    heavy.mend()
    cluster.run_for(10)
    before = len(light.outcomes), len(heavy.outcomes)
    cluster.run_for(8)
    gained = len(light.outcomes) - before[0], len(heavy.outcomes) - before[1]
    assert gained[1] / sum(gained) == pytest.approx(0.75, abs=0.05)


def test_cancelling_an_application_cancels_its_systems_too(cluster: SimCluster) -> None:
    cluster.add_worker(executors=2)
    app = cluster.add_application("a")
    host = with_system(cluster, app)
    host.push([b"50"] * 5)
    app.push([b"50"] * 4)
    app.push([b"0:?3:fine"], retry_on=("OSError",), backoff=90.0, max_backoff=90.0)
    cluster.run_for(1)
    assert order(cluster, "cancel", target="a") == {"cancelled": 1 + 5 + 5}
    cluster.run_for(1)
    assert [one.failure and one.failure.kind for one in app.outcomes] == ["cancelled"] * 5
    [ended] = [one for one in app.seen if type(one).__name__ == "SystemEnded"]
    assert ended.failure.kind == "cancelled"
    assert cluster.stopped_hosts == cluster.started_hosts
    assert not cluster.master.state.tasks
    assert app.expecting == 0


def test_a_paused_application_can_be_cancelled(cluster: SimCluster) -> None:
    cluster.add_worker(executors=2)
    app = cluster.add_application("a")
    order(cluster, "pause", application="a")
    app.push([b"1"] * 4)
    cluster.run_for(1)
    order(cluster, "cancel", target="a")
    cluster.run_for(1)
    assert len(app.outcomes) == 4


def test_the_end_of_a_paused_application_leaves_nothing_behind(cluster: SimCluster) -> None:
    app = cluster.add_application("a")
    order(cluster, "pause", application="a")
    app.push([b"1"] * 4)
    app.feed([Leaving()])
    cluster.run_for(1)
    assert not cluster.master.state.queue.paused


@pytest.mark.parametrize(
    ("kind", "arguments", "reason"),
    [
        ("pause", {"application": "x"}, "there is no application 'x'; there are: 1 (a)"),
        ("resume", {"target": "a"}, "'a' is neither paused nor drained"),
        ("priority", {"application": "a"}, "give a priority, a weight, or both"),
        ("priority", {"application": "a", "weight": 0}, "the weight is 0; it must be a number"),
        ("priority", {"application": "a", "priority": True}, "the priority is True; it must be"),
        ("cancel", {"target": "1/1"}, "task 1/1 is not waiting or running: it has its outcome"),
        ("cancel", {"target": "1/9"}, "task 1/9 is not waiting or running: it has not been sub"),
        ("cancel", {"target": "7/1"}, "task 7/1 is not waiting or running: there is no appl"),
        ("cancel", {"target": "1/2"}, "task 1/2 is not waiting or running: it ended 1 s ago as"),
    ],
)
def test_orders_that_cannot_be_obeyed(
    cluster: SimCluster, kind: Any, arguments: dict[str, Any], reason: str
) -> None:
    cluster.add_worker()
    app = cluster.add_application("a")
    app.push([b"0:fine", b"0:!wrong"])
    cluster.run_for(1)
    with pytest.raises(RefusedOrderError) as refused:
        order(cluster, kind, **arguments)
    assert str(refused.value).startswith(reason)
