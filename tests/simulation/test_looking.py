"""What people see of a master: events by the page, failures, applications by what they type."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent_framework.application.events import Leaving
from concurrent_framework.testing.cluster import SimCluster
from tests.simulation.orders import RefusedOrderError, order


def events_of(cluster: SimCluster, limit: int) -> list[int]:
    """Follow the events by the page, from `last` to `last`, until there are no more."""
    found: list[int] = []
    last = 0
    while page := order(cluster, "events", since=last, limit=limit):
        found += [one["id"] for one in page["events"]]
        if page["last"] == last:
            return found
        last = page["last"]
    return found


@pytest.mark.parametrize("limit", [1, 3, 100, 10**6])
def test_who_goes_on_at_the_last_event_misses_none(limit: int) -> None:
    cluster = SimCluster()
    chronicle = cluster.master.chronicle
    for number in range(20):
        chronicle.note("a.b", "info", f"{number}", {})
    assert events_of(cluster, limit) == list(range(1, chronicle.last + 1))


def test_a_page_of_no_events_goes_on_where_it_was() -> None:
    cluster = SimCluster()
    cluster.master.chronicle.note("a.b", "info", "", {})
    assert order(cluster, "events", since=0, limit=0)["last"] == 0
    newest: dict[str, Any] = order(cluster, "events", limit=1)
    assert newest["last"] == cluster.master.chronicle.last


def test_one_busy_worker_does_not_make_others_look_busy() -> None:
    cluster = SimCluster()
    cluster.add_worker("idle", executors=4)
    cluster.add_worker("busy", executors=4, labels=("big",))
    app = cluster.add_application()
    app.push([b"0.004"] * 100, labels=("big",))
    cluster.run()
    app.push([b"0.004"] * 8, labels=("big",))
    cluster.run_for(0.002)
    idle, busy = order(cluster, "workers")
    assert (idle["tasks"], busy["tasks"]) == (0, 8)
    status = order(cluster, "status")
    assert (status["executors"], status["occupied"]) == (8, 4.0)


@pytest.mark.parametrize("kind", ["failed", "failures", "retry"])
def test_a_name_of_several_that_run_does_not_stand_for_one_that_has_ended(kind: Any) -> None:
    cluster = SimCluster()
    cluster.add_worker()
    about = "target" if kind == "retry" else "application"
    fetcher: dict[str, Any] = {about: "Fetcher"}
    number: dict[str, Any] = {about: "1"}
    first = cluster.add_application("Fetcher")
    first.push([b"0.1:!wrong"])
    cluster.run()
    first.feed([Leaving()])
    cluster.run_for(1)
    if kind != "retry":
        assert order(cluster, kind, **fetcher)
    for session in ("second", "third"):
        cluster.add_application("Fetcher", session=session)
    with pytest.raises(RefusedOrderError, match=": 2, 3; give the number"):
        order(cluster, kind, **fetcher)
    assert order(cluster, kind, **number)
