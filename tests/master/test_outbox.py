"""What leaves a round of the master: one envelope for each peer, acknowledgements in company."""

from __future__ import annotations

import math
from typing import Any

import pytest

from concurrent_framework.master.chronicle import Chronicle
from concurrent_framework.master.commands import Send
from concurrent_framework.master.outbox import Outbox
from concurrent_framework.protocol.application import Accepted, Added
from concurrent_framework.protocol.worker import OutcomesSafe
from concurrent_framework.testing.cluster import SimCluster


@pytest.fixture
def outbox() -> Outbox:
    return Outbox(Chronicle(0.0), linger=1.0)


def sent(outbox: Outbox, now: float) -> dict[Any, list[Any]]:
    commands, _ = outbox.flush(now)
    return {one.peer: list(one.messages) for one in commands if isinstance(one, Send)}


def test_an_acknowledgement_waits_for_company(outbox: Outbox) -> None:
    outbox.acknowledge("a", Accepted(1), 0.0)
    outbox.acknowledge("b", OutcomesSafe(1), 0.0)
    assert sent(outbox, 0.0) == {}
    outbox.send("a", Added(5))
    assert sent(outbox, 0.5) == {"a": [Accepted(1), Added(5)]}
    assert outbox.due == 1.0
    assert sent(outbox, 1.0) == {"b": [OutcomesSafe(1)]}
    assert outbox.due == math.inf


def test_a_later_acknowledgement_takes_the_place_of_an_earlier_one(outbox: Outbox) -> None:
    outbox.acknowledge("a", Accepted(1), 0.0)
    outbox.acknowledge("a", Accepted(7), 0.9)
    assert sent(outbox, 1.0) == {"a": [Accepted(7)]}


def test_who_is_gone_or_greets_again_is_acknowledged_nothing(outbox: Outbox) -> None:
    outbox.acknowledge("gone", Accepted(1), 0.0)
    outbox.acknowledge("back", Accepted(1), 0.0)
    outbox.drop("gone")
    outbox.begin_with("back")
    assert outbox.due == math.inf
    assert sent(outbox, 5.0) == {}


def test_each_wait_is_counted_from_its_beginning(outbox: Outbox) -> None:
    outbox.acknowledge("a", Accepted(1), 0.0)
    outbox.drop("a")
    outbox.acknowledge("a", Accepted(2), 3.0)
    assert outbox.due == 4.0
    assert sent(outbox, 3.5) == {}


@pytest.mark.parametrize("pattern", ["push", "pull"])
def test_a_lone_task_costs_few_envelopes(pattern: str) -> None:
    envelopes = {}
    for linger in (0.0, 0.002):
        cluster = SimCluster(pattern, linger=linger)
        worker, app = cluster.add_worker(), cluster.add_application()
        before = app.link.received_count + worker.link.received_count
        for number in range(10):
            app.push([b"0.0001:x"])
            while len(app.outcomes) <= number:
                assert cluster.clock.step()
        cluster.run()
        envelopes[linger] = app.link.received_count + worker.link.received_count - before
    assert envelopes[0.002] <= envelopes[0.0] - 10
