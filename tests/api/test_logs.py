"""A node's log is for people or for programs."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from concurrent_framework.config import Config
from concurrent_framework.launch.logs import formatter_for
from tests.cluster.place import Place, until
from tests.cluster.swarm import Swarm


def test_each_event_is_a_line_of_json_with_ids(place: Place) -> None:
    swarm = Swarm(place, "push", "log.format=json", "api.enabled=false")
    worker = swarm.start_worker("w1", "--set", "log.format=json")
    until(lambda: "worker.joined" in swarm.master.err, worker)
    words = ["run", "md5", "--join", swarm.endpoint, "--", "0" * 32, "--limit", "10"]
    done = swarm.place.run(*words)
    assert done.code == 1, done.err
    swarm.stop()
    events = [json.loads(line) for line in swarm.master.err.splitlines()]
    by_kind = {one["kind"]: one for one in events}
    assert by_kind["worker.joined"]["worker"] == "w1"
    assert by_kind["application.joined"]["application"] == 1
    assert by_kind["application.ended"]["application"] == 1
    assert {one["node"] for one in events} == {"m"}
    assert {json.loads(line)["node"] for line in worker.err.splitlines()} == {"w1"}


def test_a_traceback_stays_in_its_line() -> None:
    formatter = formatter_for(Config.load(None, {}, ["log.format=json"]), "m")
    try:
        raise ValueError("one\ntwo")
    except ValueError:
        record = logging.LogRecord("x", 40, "f", 1, "it %s", ("broke",), sys.exc_info())
    (line,) = formatter.format(record).splitlines()
    event = json.loads(line)
    assert (event["level"], event["text"], event["kind"]) == ("error", "it broke", "node.told")
    assert "ValueError: one" in event["traceback"]


@pytest.mark.parametrize("settings", [[], ["log.format=text"]])
def test_people_get_text(settings: list[str]) -> None:
    record = logging.LogRecord("x", 20, "f", 1, "hello", (), None)
    line = formatter_for(Config.load(None, {}, settings), "m").format(record)
    assert line.endswith("INFO    hello")
