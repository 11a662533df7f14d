"""A short storm over real processes; `make chaos` makes long ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chaos.cluster import Cluster
from tests.chaos.storm import Storm

if TYPE_CHECKING:
    from tests.cluster.place import Place
    from tests.store.postgres import Server

SECONDS = 8.0


@pytest.mark.parametrize(
    ("pattern", "store"), [("push", "sqlite"), ("pull", "sqlite"), ("push", "postgresql")]
)
def test_every_task_has_exactly_one_outcome(
    place: Place, pattern: str, store: str, request: pytest.FixtureRequest
) -> None:
    settings = [f"master.store={store}"]
    if store == "postgresql":
        server: Server = request.getfixturevalue("postgres")
        settings.append(f"store.url={server.url(server.new_schema())}")
    with Cluster(place, pattern, settings, workers=2, hosts=False) as cluster:
        storm = Storm(cluster, seed=1 if pattern == "push" else 2)
        storm.rage(SECONDS)
        cluster.settle(60.0)
    faults = [fault for one in cluster.applications for fault in one.faults()]
    assert not faults, "\n".join(faults)
    assert sum(one.ledger.accepted for one in cluster.applications) > 0
    assert storm.done
