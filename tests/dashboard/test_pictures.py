"""What the dashboard makes of the API's answers, at any size."""

from __future__ import annotations

from typing import Any

from concurrent_framework.cli.watching import Watch
from concurrent_framework.dashboard.history import NODE_POINTS, History, Point, thinned
from concurrent_framework.dashboard.lanes import MOST_LANES, lanes_of
from concurrent_framework.dashboard.pages.stream import note_of
from concurrent_framework.dashboard.wire import arrived, travelling


def run(number: int, worker: str = "w", end: float = 10.0, seconds: float = 1.0) -> dict[str, Any]:
    return {
        "kind": "tasks.ran",
        "application": 1,
        "worker": worker,
        "task": f"1/{number}",
        "name": "wait",
        "time": end,
        "seconds": seconds,
        "tasks": 1,
        "failed": False,
    }


def node(name: str, tasks: int) -> dict[str, Any]:
    return {"worker": name, "tasks": tasks, "executors": 4, "finished": 0}


def status(failed: int) -> dict[str, Any]:
    tasks = {"waiting": 5, "assigned": 2, "failed": failed}
    return {"tasks": tasks, "executors": 8, "occupied": 2.0, "outcomes": failed}


def test_what_overlaps_is_in_lanes_of_its_own() -> None:
    runs = [run(1, end=10.0), run(2, end=10.5), run(3, end=11.2)]
    picture = lanes_of(runs, {"w": 4}, 0.0)
    assert picture.names == ["w", "w ·2"]
    assert [(bar.task, bar.lane) for bar in picture.bars] == [("1/1", 0), ("1/2", 1), ("1/3", 0)]


def test_there_are_never_more_lanes_than_executors_or_room() -> None:
    runs = [run(number, end=10.0, seconds=5.0) for number in range(10)]
    assert len(lanes_of(runs, {"w": 2}, 0.0).names) == 2
    many = [run(number, f"w{number}") for number in range(1000)]
    picture = lanes_of(many, {}, 0.0)
    assert len(picture.names) == MOST_LANES
    assert picture.left_out == 1000 - MOST_LANES


def test_what_is_too_old_is_not_shown() -> None:
    assert lanes_of([run(1, end=10.0)], {}, 10.0).bars == []


def test_history_forgets_nodes_that_left() -> None:
    history, watch = History(), Watch()
    for second in range(NODE_POINTS + 5):
        nodes = [node("a", 8), *([node("b", 1)] if second < 3 else [])]
        history.take(float(second), watch.take(float(second), status(2 * second), nodes, []))
    assert set(history.nodes) == {"a"}
    assert list(history.nodes["a"]) == [1.0] * NODE_POINTS
    assert history.points[-1].utilisation == 0.25


def failures_at(*seen: tuple[float, int]) -> list[float]:
    """Return what the chart of failures shows for looks, each a moment and how many have failed."""
    history, watch = History(), Watch()
    for moment, failed in seen:
        history.take(moment, watch.take(moment, status(failed), [], []))
    return [round(one.errors, 2) for one in history.points]


def test_failures_are_those_of_the_last_minute() -> None:
    assert failures_at((0, 3), (1, 4), (2, 4), (31, 6), (60, 6), (61, 6)) == [0, 1, 1, 3, 3, 2]


def test_an_application_that_ends_takes_its_failures_along() -> None:
    assert failures_at((0, 3), (1, 5), (2, 0), (3, 1)) == [0, 2, 2, 3]


def test_of_a_time_in_which_nobody_looked_a_minute_has_its_share() -> None:
    assert failures_at((0, 0), (600, 50), (601, 50)) == [0, 5, 5]


def test_a_scope_travels_with_its_role_and_without_what_cannot() -> None:
    scope = {
        "type": "http",
        "path": "/dashboard/",
        "headers": [(b"host", b"x")],
        "state": {"role": "observe", "more": object()},
        "app": object(),
        "client": ("127.0.0.1", 1),
    }
    found = arrived(travelling(scope))
    assert found["state"] == {"role": "observe"}
    assert found["headers"] == [(b"host", b"x")]
    assert found["client"] == ("127.0.0.1", 1)
    assert "app" not in found


def test_a_stream_says_whether_it_begins_where_what_is_known_begins() -> None:
    runs = [run(number, end=10.0 + number) for number in range(5)]
    assert lanes_of(runs, {}, 0.0).shortened
    assert not lanes_of(runs, {}, 12.0).shortened


def test_a_long_curve_is_thinned_and_stands_still() -> None:
    points = [Point(float(second), 1.0, 0, 0, 0.0, 0.5) for second in range(601)]
    before, after = thinned(points[:600]), thinned(points[1:])
    assert 75 <= len(before) <= 151
    assert {one.time for one in before[1:-1]} <= {one.time for one in after}
    assert points[0].busy == 50.0


def test_a_stream_says_from_when_on_it_shows_and_what_it_leaves_out() -> None:
    bars = lanes_of([run(1), {**run(2), "tasks": 9}], {}, 0.0).bars
    assert note_of(bars, 0, "") == "10 tasks in 2 batches"
    assert note_of(bars, 3, "12:26:11") == (
        "10 tasks in 2 batches, shown from 12:26:11 on, 3 workers not shown"
    )
