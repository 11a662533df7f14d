"""The picture of `concurrent top` in terminals of several sizes."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from concurrent_framework.cli.top_picture import Room, picture
from concurrent_framework.cli.watching import Look

STATUS = {
    "master": "hive",
    "uptime": 75.0,
    "occupied": 8.0,
    "executors": 8,
    "tasks": {"waiting": 12_345, "assigned": 8, "finished": 54_321, "failed": 17},
}


def application(number: int, state: str = "running") -> dict[str, Any]:
    return {
        "application": number,
        "name": f"RenderFilm{number}",
        "state": state,
        "systems": [],
        "done": 54_338,
        "total": 66_683,
        "finished": 54_321,
        "failed": 17,
        "cancelled": 0,
        "waiting": 12_345,
        "assigned": 8,
        "rate": 1234.5,
        "eta": 4000.0,
    }


def worker(number: int, state: str = "active") -> dict[str, Any]:
    return {
        "worker": f"lab-{number}",
        "host": "lab",
        "state": state,
        "executors": 4,
        "tasks": 8,
        "finished": 12_345,
        "rate": 617.2,
        "memory": 2**34,
        "silent": 0.1,
    }


def drawn(applications: int, workers: int, width: int, height: int, state: str = "active") -> str:
    look = Look(
        STATUS,
        1234.5,
        [worker(number, state) for number in range(workers)],
        [application(number) for number in range(applications)],
    )
    return printed(look, width, height)


def printed(look: Look, width: int, height: int) -> str:
    console = Console(file=StringIO(), width=width, height=height, color_system=None)
    console.print(picture(look, "q ends", Room(width, height)))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 100, 120])
def test_every_figure_is_whole(width: int) -> None:
    shown = drawn(2, 2, width, 40)
    assert "…" not in shown
    for figure in ("RenderFilm1", "81%", "54,321", "12,345", "17", "1,234/s", "lab-1", "4 of 4"):
        assert figure in shown, shown


def test_it_is_told_how_workers_stand() -> None:
    assert "quarantined" in drawn(1, 1, 80, 24, "quarantined")


@pytest.mark.parametrize(("applications", "workers"), [(1, 1000), (100, 1), (100, 1000)])
def test_what_has_no_room_is_counted(applications: int, workers: int) -> None:
    shown = drawn(applications, workers, 80, 24)
    assert len(shown.rstrip().splitlines()) <= 24
    rows = shown.count(" of 4") + shown.count("RenderFilm")
    told = [int(line.split()[1]) for line in shown.replace(",", "").splitlines() if "more" in line]
    assert rows + sum(told) == applications + workers
    assert shown.rstrip().endswith("q ends")


def test_long_names_take_one_line_and_can_be_told_apart() -> None:
    host = "build-agent-of-the-rendering-department-7"
    nodes = [
        {**worker(number), "worker": f"{host}-{4711 + number}", "host": host}
        for number in range(40)
    ]
    nodes[0]["host"] = "another-host-with-a-name-that-is-long"
    apps = [
        {**application(number, "away"), "name": f"RenderingOfAVeryLongFilm {number:02}"}
        for number in range(40)
    ]
    status = {**STATUS, "master": host * 2}
    for found in (nodes, nodes[1:]):
        shown = printed(Look(status, 1234.5, found, apps), 80, 24)
        lines = shown.rstrip().splitlines()
        assert len(lines) <= 24
        assert max(map(len, lines)) <= 80
        assert "8 of 8 executors busy" in lines[0]
        rows = [line for line in lines if " of 4 " in line]
        assert len(rows) > 3
        for line, one in zip(rows, found, strict=False):
            assert line.strip().startswith("build-")
            assert f"{one['worker'][-5:]} " in line
            assert "12,345" in line
        named = [line for line in lines if "1,234/s" in line and "%" in line]
        assert len(named) > 3
        assert all("away" in line and "54,321" in line for line in named)
    assert "HOST" in printed(Look(status, 1.0, nodes, apps), 80, 24)
    assert "HOST" not in shown, "it is the beginning of each name"


def test_what_was_cancelled_has_not_failed() -> None:
    one = {**application(0), "failed": 0, "cancelled": 777}
    shown = printed(Look(STATUS, 1.0, [], [one]), 120, 24)
    assert "777" not in shown
