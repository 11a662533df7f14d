"""Puts what ran into lanes, so that nothing overlaps. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_LANES = 48
MOST_BARS = 3000


class Bar(NamedTuple):
    """A batch of tasks that ran.

    Args:
        lane: its lane, counted from 0.
        start: unix time at which the example of it began.
        end: when it was done.
        application: whose it was.
        name: of the example.
        worker: where it ran.
        task: the example.
        tasks: how many came back together.
        failed: whether the example did.

    """

    lane: int
    start: float
    end: float
    application: int
    name: str
    worker: str
    task: str
    tasks: int
    failed: bool


class Lanes(NamedTuple):
    """A picture of what ran.

    Args:
        names: what each lane is called.
        bars: what is in them, the oldest first.
        left_out: how many workers there is no room for.
        shortened: whether more has run than is known or can be shown.

    """

    names: list[str]
    bars: list[Bar]
    left_out: int
    shortened: bool


def lanes_of(runs: Iterable[dict[str, Any]], executors: Mapping[str, int], since: float) -> Lanes:
    """Arrange runs by worker, in as many lanes as it has executors.

    Args:
        runs: events of the kind ``tasks.ran``, the oldest first.
        executors: how many tasks each worker runs at a time.
        since: unix time before which nothing is shown.

    Example:
        >>> run = {"application": 1, "worker": "w", "task": "1/1", "name": "a", "time": 10.0,
        ...        "seconds": 2.0, "tasks": 1, "failed": False}
        >>> lanes_of([run, {**run, "task": "1/2", "time": 11.0}], {"w": 2}, 0.0).names
        ['w', 'w ·2']

    """
    known = list(runs)
    recent = [one for one in known if one["time"] > since][-MOST_BARS:]
    shortened = len(recent) == min(len(known), MOST_BARS)
    by_worker: dict[str, list[dict[str, Any]]] = {}
    for one in recent:
        by_worker.setdefault(one["worker"], []).append(one)
    names: list[str] = []
    bars: list[Bar] = []
    left_out = 0
    for worker in sorted(by_worker):
        width = max(1, executors.get(worker, 1))
        ends: list[float] = []
        placed = [
            (one, _place(one, ends, width))
            for one in sorted(
                by_worker[worker], key=lambda one: float(one["time"] - one["seconds"])
            )
        ]
        if names and len(names) + len(ends) > MOST_LANES:
            left_out += 1
            continue
        first = len(names)
        names += [worker if not lane else f"{worker} ·{lane + 1}" for lane in range(len(ends))]
        bars += [_bar(one, first + lane) for one, lane in placed]
    bars.sort(key=lambda one: one.start)
    return Lanes(names, bars, left_out, shortened)


def _place(run: dict[str, Any], ends: list[float], width: int) -> int:
    """Return the first lane that is free when a run begins, or the one that is free soonest."""
    start = run["time"] - run["seconds"]
    for lane, end in enumerate(ends):
        if end <= start:
            ends[lane] = run["time"]
            return lane
    if len(ends) < width:
        ends.append(run["time"])
        return len(ends) - 1
    lane = min(range(len(ends)), key=ends.__getitem__)
    ends[lane] = max(ends[lane], run["time"])
    return lane


def _bar(run: dict[str, Any], lane: int) -> Bar:
    return Bar(
        lane,
        run["time"] - run["seconds"],
        run["time"],
        run["application"],
        run["name"],
        run["worker"],
        run["task"],
        run["tasks"],
        run["failed"],
    )
