"""Steering a real master by its API: what is ordered happens, and is seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from concurrent_framework.api import Client
from concurrent_framework.api.client import ApiError
from concurrent_framework.model.errors import RefusedError
from tests.api.reach import Reach
from tests.api.steered import Work
from tests.cluster.place import Place, Running, until
from tests.cluster.swarm import Swarm


@pytest.fixture
def work(swarm: Swarm, client: Client) -> Iterator[Work]:
    """Six tasks on two executors."""
    work = Work(swarm, client, 6)
    yield work
    work.end()


def test_a_pause_hands_out_nothing_and_resuming_goes_on(client: Client, work: Work) -> None:
    until(lambda: work.shown["assigned"] == 2)
    paused = client.applications.pause(application=work.number)
    assert (paused["waiting"], paused["running"]) == (4, 2)
    work.let(0, 1)
    until(lambda: work.shown["failed"] == 2)
    assert (work.shown["paused"], work.shown["assigned"], work.shown["waiting"]) == (True, 0, 4)
    assert "paused" in client.tasks.explain(task=work.key(2))["text"]
    assert client.applications.resume(application="Steered")["application"] == work.number
    until(lambda: work.shown["assigned"] >= 2)
    assert not work.shown["paused"]
    with pytest.raises(ApiError, match="there is nothing to resume"):
        client.applications.resume(application=work.number)


def test_priority_and_weight_are_set(client: Client, work: Work) -> None:
    until(lambda: work.shown["assigned"] == 2)
    told = client.applications.priority(application=work.number, priority=7, weight=2.5)
    assert (told["priority"], told["weight"]) == (7, 2.5)
    assert (work.shown["priority"], work.shown["weight"]) == (7, 2.5)
    with pytest.raises(ApiError) as caught:
        client.applications.priority(application=work.number, weight=5000.0)
    assert caught.value.code == -32602
    with pytest.raises(ApiError, match="give a priority, a weight, or both"):
        client.applications.priority(application=work.number)


def test_a_task_is_shown_explained_cancelled_and_retried(client: Client, work: Work) -> None:
    until(lambda: work.shown["assigned"] == 2)
    running, waiting = client.tasks.show(task=work.key(0)), client.tasks.show(task=work.key(5))
    assert (running["state"], running["worker"], running["attempt"]) == ("assigned", "w1", 1)
    assert (waiting["state"], waiting["worker"]) == ("waiting", "")
    assert client.tasks.explain(task=work.key(5))["text"]
    assert client.tasks.cancel(task=work.key(5)) == {"cancelled": 1}
    until(lambda: work.shown["cancelled"] == 1)
    assert client.tasks.show(task=work.key(5))["state"] == "cancelled"
    assert "cancelled" in client.tasks.explain(task=work.key(5))["text"]
    assert client.failures.list(application=work.number)["total"] == 0
    work.let(0)
    until(lambda: client.failures.list(application=work.number)["total"] == 1)
    (failure,) = client.failures.list(application=work.number)["failures"]
    assert (failure["task"], failure["type"]) == (work.key(0), "ValueError")
    assert failure["certificate"]["worker"] == "w1"
    assert client.tasks.show(task=work.key(0))["state"] == "failed"
    (work.gate / "healed").touch()
    client.tasks.retry(task=work.key(0))
    work.let(*range(5))
    until(lambda: client.applications.outcome(application=work.number)["finished"] == 5)
    with pytest.raises(ApiError, match="999"):
        client.tasks.cancel(task=f"{work.number}/999")


def test_failures_stay_when_their_application_has_ended(client: Client, work: Work) -> None:
    work.let(0)
    until(lambda: client.failures.list(application=work.number)["total"] == 1)
    client.applications.cancel(application=work.number)
    until(lambda: client.applications.outcome(application=work.number)["ended"])
    (failure,) = client.failures.list(application=work.number)["failures"]
    assert failure == client.failures.list(limit=1)["failures"][0]
    assert (failure["task"], failure["application_name"]) == (work.key(0), "Steered")
    assert "ValueError" in failure["traceback"]
    assert failure["retriable"]
    assert failure["ended"] > failure["certificate"]["attempts"][0]["started"]
    assert client.tasks.show(task=work.key(0))["state"] == "failed"


def test_all_of_an_application_is_cancelled(client: Client, work: Work) -> None:
    until(lambda: work.shown["assigned"] == 2)
    assert client.applications.cancel(application=work.number) == {"cancelled": 6}
    until(lambda: work.shown["cancelled"] == 6)


def test_a_node_is_drained_and_resumed_and_another_one_removed(
    swarm: Swarm, client: Client, work: Work
) -> None:
    until(lambda: work.shown["assigned"] == 2)
    client.nodes.drain(worker="w1")
    work.let(0, 1)
    until(lambda: client.nodes.show(worker="w1")["tasks"] == 0)
    assert client.nodes.show(worker="w1")["state"] == "drained"
    assert work.shown["waiting"] == 4
    assert client.nodes.resume(worker="w1") == {"worker": "w1"}
    until(lambda: work.shown["assigned"] >= 2)
    other = swarm.add_worker("w2")
    until(lambda: client.nodes.show(worker="w2")["tasks"] > 0)
    client.nodes.remove(worker="w2")
    assert other.ends().code == 4
    swarm.workers.pop("w2")
    until(lambda: client.nodes.show(worker="w1")["tasks"] + work.shown["waiting"] == 4)
    assert [one["worker"] for one in client.nodes.list()["nodes"]] == ["w1"]


def test_who_may_only_look_steers_nothing(client: Client, reach: Reach, work: Work) -> None:
    token = client.tokens.create(role="observe")["token"]
    watcher = Client(reach.url, token)
    assert watcher.applications.show(application=work.number)["name"] == "Steered"
    for method, named in (
        ("applications.cancel", {"application": work.number}),
        ("applications.pause", {"application": work.number}),
        ("nodes.drain", {"worker": "w1"}),
        ("tasks.cancel", {"task": work.key(0)}),
    ):
        with pytest.raises((ApiError, RefusedError), match="admin"):
            watcher.call(method, **named)
    assert not work.shown["paused"]
    assert work.shown["cancelled"] == 0


def test_the_client_batches_calls_and_tells_errors_apart(client: Client) -> None:
    status, wrong, nodes = client.batch(
        [("cluster.status", {}), ("nodes.show", {"worker": "w9"}), ("nodes.list", {"limit": 1})]
    )
    assert status["master"] == "m"
    assert isinstance(wrong, ApiError)
    assert "there is no worker 'w9'" in str(wrong)
    assert nodes["total"] == 1
    assert client.batch([]) == []
    assert client.call("nodes.show", "w1")["worker"] == "w1"
    assert json.loads(client.get("/status"))["master"] == "m"
    assert client.get("/metrics").startswith("# HELP")
    with pytest.raises(RefusedError):
        Client(client.url, "nonsense").cluster.status()


def test_the_journal_is_described(swarm: Swarm, client: Client, work: Work) -> None:
    told = client.journal.status()
    assert (told["enabled"], told["store"], told["sync"]) == (True, "sqlite", "normal")
    assert Path(told["place"]).name == "journal.db"
    assert Path(told["place"]).is_relative_to(swarm.place.home)
    assert told["entries"] >= 1
    assert told["bytes"] >= told["needed_bytes"] > 0
    assert (told["pending"], told["trouble"]) == (0, "")
    before = told["entries"]
    work.let(0)
    until(lambda: client.journal.status()["entries"] > before)


def test_a_master_without_a_journal_says_so(place: Place) -> None:
    swarm = Swarm(place, "push", "api.port=0", "master.store=memory")
    (link,) = (one for one in swarm.master.out.split() if "/?token=" in one)
    assert Client(link).journal.status() == {"enabled": False}
    swarm.stop()


def test_a_link_holds_from_start_to_start(place: Place) -> None:
    """A master for its own machine only keeps its tokens like one for others."""

    def token_of(master: Running) -> str:
        master.says("/?token=")
        (link,) = (one for one in master.out.split() if "/?token=" in one)
        return link.partition("=")[2]

    swarm = Swarm(place, "push", "api.port=0")
    first = token_of(swarm.master)
    made = Client(next(o for o in swarm.master.out.split() if "/?token=" in o)).tokens.create(
        role="observe", note="a wall display"
    )["token"]
    swarm.master.interrupt()
    swarm.master.ends()
    swarm.start_master()
    assert token_of(swarm.master) == first
    url = next(one for one in swarm.master.out.split() if "/?token=" in one).partition("/?")[0]
    assert Client(url, made).cluster.status()["master"] == "m"
    swarm.stop()
