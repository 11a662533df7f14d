"""What people see of a master: events by the page, failures, applications by what they type."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent_framework.testing.cluster import SimCluster
from tests.simulation.orders import order


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
