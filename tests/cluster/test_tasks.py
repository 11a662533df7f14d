"""Plain tasks on a cluster: what an application writes, and what it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cluster.applications import Recorder
from tests.cluster.tasks import Call

if TYPE_CHECKING:
    from tests.cluster.swarm import Swarm


def test_results_come_back_and_both_executors_work(swarm: Swarm) -> None:
    app = swarm.run(Recorder([Call("add", n, 1) for n in range(2000)]))
    assert app.results() == list(range(1, 2001))
    assert app.exit_code == 0
def test_x(swarm: Swarm) -> None:
    app = swarm.run(Recorder([Call("add", n, 1) for n in range(20)]))
def test_y(swarm: Swarm) -> None:
    app = swarm.run(Recorder([Call("add", n, 1) for n in range(20)]))
