"""What a running master answers over HTTP, for clients of every kind."""

from __future__ import annotations

import gzip
import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from concurrent_framework import ApplicationNode, IApp, implements, task
from concurrent_framework.api import Client
from concurrent_framework.api.client import ApiError
from tests.api.reach import Reach
from tests.cluster.place import until
from tests.cluster.swarm import Swarm


@task
def double(number: int) -> int:
    return 2 * number


@task
def broken(number: int) -> int:
    print("about to break")
    raise ValueError(number)


class Doubles(ApplicationNode):
    """Pushes so many tasks."""

    implements(IApp)

    def start_processing(self) -> None:
        self.push_tasks(double(number) for number in range(50))

    def task_finished(self, task: Any, result: Any, error: Any) -> None:
        pass


class Breaks(ApplicationNode):
    """Has a task that fails, and looks at itself from outside before it ends."""

    implements(IApp)
    client: Client
    seen: dict[str, Any]

    def start_processing(self) -> None:
        self.push_task(broken(7))

    def task_finished(self, task: Any, result: Any, error: Any) -> None:
        call = self.client.call
        (one,) = self.client.applications.list()["applications"]
        number = one["application"]
        self.seen = {
            "application": one,
            "shown": call("applications.show", application=number),
            "failures": call("failures.list", application=number),
            "task": call("tasks.show", task=f"{number}/1"),
            "explained": call("tasks.explain", task=f"{number}/1"),
            "output": call("applications.output", application=number),
        }


@contextmanager
def stream(reach: Reach, path: str = "/events", **headers: str) -> Iterator[Iterator[str]]:
    """Follow the live events: yields their lines."""
    connection = http.client.HTTPConnection("127.0.0.1", reach.port, timeout=20)
    sent = {"Authorization": f"Bearer {reach.token}", **headers}
    try:
        connection.request("GET", path, headers=sent)
        response = connection.getresponse()
        assert response.getheader("content-type", "").startswith("text/event-stream")
        yield (line.decode().rstrip("\n") for line in response)
    finally:
        connection.close()


def events_in(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if line.startswith("data: "):
            yield json.loads(line[6:])


def until_kind(events: Iterator[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Take events up to the first of a kind."""
    found = []
    for event in events:
        found.append(event)
        if event["kind"] == kind:
            return found
    raise AssertionError(found)


def test_status_is_that_of_the_command(swarm: Swarm, reach: Reach) -> None:
    told, asked = reach.get("/status").json, swarm.ask("status")
    for key in ("master", "version", "pattern", "workers", "executors"):
        assert told[key] == asked[key]
    assert (told["master"], told["workers"], told["executors"]) == ("m", 1, 2)


def test_metrics_are_what_prometheus_reads(reach: Reach, client: Client) -> None:
    client.cluster.status()
    text = reach.get("/metrics").body.decode()
    families = {one.name: one for one in text_string_to_metric_families(text)}
    calls = families["concurrent_api_call_seconds"]
    assert calls.type == "summary"
    counts = [one for one in calls.samples if one.name.endswith("_count")]
    assert counts[0].value >= 1
    assert counts[0].labels == {"kind": "master", "node": "m"}
    assert set(families) >= {
        "concurrent_master_turn_seconds",
        "concurrent_scheduler_queue",
        "concurrent_codec_decode_seconds",
        "concurrent_transport_received_bytes",
        "concurrent_scheduler_place_seconds",
    }


def test_stats_are_the_same_as_json(reach: Reach, client: Client) -> None:
    told = reach.get("/stats").json
    one = told["master.turn_seconds"]
    assert one["count"] > 0
    assert 0 < one["min"] <= one["p50"] <= one["p95"] <= one["p99"] <= one["max"]
    assert set(client.statistics.get(prefix="codec.")) == {
        name for name in told if name.startswith("codec.")
    }


def test_large_answers_are_compressed(reach: Reach) -> None:
    plain = reach.get("/stats", {"Accept-Encoding": "identity"})
    small = reach.get("/stats", {"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert small.headers["content-encoding"] == "gzip"
    assert len(small.body) < len(plain.body) / 2
    assert set(json.loads(gzip.decompress(small.body))) == set(plain.json)


def test_a_batch_over_http(client: Client) -> None:
    status, missing, nodes = client.batch(
        [("cluster.status", {}), ("no.such", {}), ("nodes.list", {"limit": 5})]
    )
    assert status["workers"] == 1
    assert isinstance(missing, ApiError)
    assert missing.code == -32601
    assert [one["worker"] for one in nodes["nodes"]] == ["w1"]


def test_a_notification_gets_no_content(reach: Reach) -> None:
    answer = reach.send("POST", "/api/1", {"jsonrpc": "2.0", "method": "cluster.status"})
    assert (answer.status, answer.body) == (204, b"")


def test_an_application_is_seen_while_it_runs(swarm: Swarm, client: Client) -> None:
    application = Breaks()
    application.client = client
    swarm.run(application)
    seen = application.seen
    assert (seen["application"]["name"], seen["application"]["state"]) == ("Breaks", "running")
    assert seen["application"]["failed"] == 1
    assert seen["shown"]["application"] == seen["application"]["application"]
    (failure,) = seen["failures"]["failures"]
    assert (failure["kind"], failure["type"], failure["message"]) == ("failed", "ValueError", "7")
    assert "raise ValueError(number)" in failure["traceback"]
    assert failure["certificate"]["attempts"][0]["worker"] == "w1"
    assert (seen["task"]["state"], seen["task"]["type"]) == ("failed", "ValueError")
    assert "as failed: 7" in seen["explained"]["text"]
    assert [line["text"] for line in seen["output"]["lines"]] == ["about to break"]
    ended = client.applications.show(application=seen["application"]["application"])
    assert (ended["state"], ended["failed"]) == ("ended", 1)


@pytest.mark.parametrize(
    ("method", "params", "told"),
    [
        ("applications.show", {"application": "nobody"}, "there is no application 'nobody'"),
        ("applications.output", {"application": 999}, "there is no application '999'"),
        ("nodes.show", {"worker": "w9"}, "there are: w1"),
        ("tasks.cancel", {"task": "x"}, "there is no application 'x'"),
        ("tasks.show", {"task": "x"}, "'x' is no task: expected APPLICATION/TASK"),
    ],
)
def test_what_is_not_there_is_told(
    client: Client, method: str, params: dict[str, Any], told: str
) -> None:
    with pytest.raises(ApiError, match=told):
        client.call(method, **params)


def test_events_are_told_live_and_can_be_resumed(swarm: Swarm, reach: Reach) -> None:
    with stream(reach) as lines:
        assert next(lines).startswith(": live events")
        swarm.run(Doubles())
        first = until_kind(events_in(lines), "application.ended")
    kinds = [one["kind"] for one in first]
    assert kinds[0] == "application.joined"
    ran = [one for one in first if one["kind"] == "tasks.ran"]
    assert sum(one["tasks"] for one in ran) == 50
    assert {one["worker"] for one in ran} == {"w1"}
    with stream(reach, **{"Last-Event-ID": first[1]["id"]}) as lines:
        again = until_kind(events_in(lines), "application.ended")
    assert again == first[2:]


def test_events_of_before_a_restart_are_told_from_the_oldest(reach: Reach, client: Client) -> None:
    oldest = client.events.list(limit=5000)["events"][0]
    with stream(reach, **{"Last-Event-ID": "deadbeef-77"}) as lines:
        assert next(events_in(lines))["id"] == oldest["id"]


def test_events_can_be_chosen_by_kind(swarm: Swarm, client: Client) -> None:
    followed = client.follow(kinds=["application."])
    swarm.run(Doubles())
    assert [next(followed)["kind"], next(followed)["kind"]] == [
        "application.joined",
        "application.ended",
    ]


def test_events_can_be_paged(swarm: Swarm, client: Client) -> None:
    swarm.run(Doubles())
    until(lambda: client.applications.list()["total"] == 0)  # its farewell may be on its way yet
    page = client.events.list(limit=2, runs=False)
    assert [one["kind"] for one in page["events"]] == ["application.joined", "application.ended"]
    assert page["last"] == page["events"][-1]["id"]
    assert client.events.list(after=page["last"])["events"] == []


def test_the_node_tells_of_itself(client: Client) -> None:
    assert client.node.status()["kind"] == "master"
    options = {one["option"]: one for one in client.configuration.get()}
    assert options["api.port"]["value"] == 0
    assert options["master.lease"]["source"] == "default"
    names = {one["name"] for one in client.plugins.list()}
    assert {"master", "push", "api-tasks"} <= names
    assert client.rpc.discover()["openrpc"] == "1.3.2"
