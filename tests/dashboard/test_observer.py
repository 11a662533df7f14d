"""What the dashboard takes in of a node that is asked through its API."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from concurrent_framework.api.client import Client
from concurrent_framework.api.context import ApiContext
from concurrent_framework.api.feed import Feed
from concurrent_framework.dashboard.observer import EVENTS, Observer
from concurrent_framework.testing.cluster import SimCluster
from tests.simulation.orders import order


class FakeClient:
    """Answers from the core of a master."""

    def __init__(self, cluster: SimCluster) -> None:
        self.cluster = cluster
        self.feed = Feed(cast(ApiContext, self))

    async def ask(self, kind: Any, **arguments: Any) -> Any:
        return order(self.cluster, kind, **arguments)

    def call(self, method: str, **params: Any) -> Any:
        match method:
            case "rpc.discover":
                return {"methods": [{"name": "cluster.status"}]}
            case "cluster.status":
                return order(self.cluster, "status")
            case "nodes.list":
                return {"nodes": order(self.cluster, "workers")}
            case "applications.list":
                return {"applications": order(self.cluster, "applications")}
            case "events.list":
                return asyncio.run(self.feed.page(**params))
            case _:
                return {}

    def batch(self, calls: list[tuple[str, dict[str, Any]]]) -> list[Any]:
        return [self.call(method, **params) for method, params in calls]


def test_many_events_between_two_looks_are_all_taken_in() -> None:
    cluster = SimCluster()
    chronicle = cluster.master.chronicle
    observer = Observer(cast(Client, FakeClient(cluster)))

    async def scene() -> None:
        chronicle.note("a.b", "info", "before", {})
        await observer.refresh()
        assert observer.away == ""
        for number in range(EVENTS + 200):
            chronicle.note("a.b", "info", f"{number}", {})
        await observer.refresh()

    asyncio.run(scene())
    assert [one["text"] for one in observer.events[-250:]] == [
        f"{number}" for number in range(EVENTS - 50, EVENTS + 200)
    ]


def test_runs_that_came_between_two_looks_are_all_kept() -> None:
    cluster = SimCluster()
    cluster.add_worker(executors=1)
    app = cluster.add_application()
    observer = Observer(cast(Client, FakeClient(cluster)))

    async def scene() -> None:
        observer.begin_stream()
        await observer.refresh()
        app.push([b"1"] * (EVENTS + 100))
        cluster.run()
        await observer.refresh()

    asyncio.run(scene())
    assert len(observer.history.runs) == EVENTS + 100


def test_a_stream_that_begins_while_an_answer_is_under_way_gets_what_ran_before() -> None:
    cluster = SimCluster()
    cluster.add_worker(executors=1)
    app = cluster.add_application()
    client = FakeClient(cluster)
    observer = Observer(cast(Client, client))

    async def scene() -> None:
        app.push([b"1"] * (EVENTS + 100))
        cluster.run()
        await observer.refresh()
        answered = client.batch

        def batch(calls: list[tuple[str, dict[str, Any]]]) -> list[Any]:
            answers = answered(calls)
            observer.begin_stream()
            return answers

        client.batch = batch  # type: ignore[method-assign]
        await observer.refresh()
        client.batch = answered  # type: ignore[method-assign]
        await observer.refresh()

    asyncio.run(scene())
    assert len(observer.history.runs) == EVENTS + 100
