"""What Concurrent is to reach next to its peers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks import catalog
from benchmarks.written import number

if TYPE_CHECKING:
    from benchmarks.summary import Found


class Goal(NamedTuple):
    """One line: a figure, and the least or the most that it should be.

    Args:
        measure: which measure.
        key: which of its figures.
        limit: the bound itself, or how many times as good as `peer`.
        peer: the system to compare with, empty for an absolute bound.

    """

    measure: str
    key: str
    limit: float
    peer: str = ""


GOALS = (
    Goal("singles", "rate", 120_000),
    Goal("singles", "rate", 4, "pool"),
    Goal("singles", "rate", 15, "executor"),
    Goal("singles", "rate", 40, "ray"),
    Goal("singles", "rate", 200, "dask"),
    Goal("map", "rate", 1, "executor"),
    Goal("metg", "half", 0.05),
    Goal("metg", "most", 0.6),
    Goal("latency", "p50", 0.45),
    *(
        Goal("latency", "p50", 3, peer)
        for peer in ("mpi", "dask", "ray", "actors", "ipyparallel", "parsl")
    ),
    Goal("results", "rate", 1, "executor"),
    Goal("shared", "rate", 3, "ray"),
    Goal("cold", "seconds", 0.5, "loky"),
)


class Verdict(NamedTuple):
    """A goal in words, what was reached, and whether that is enough."""

    what: str
    goal: str
    reached: str
    met: bool


def verdicts(found: Found) -> list[Verdict]:
    """Return what came of the goals whose figures were measured."""
    judged = []
    for goal in GOALS:
        if goal.measure not in found.measures:
            continue
        measure = catalog.measure(goal.measure)
        shown = next(one for one in measure.shown if one.key == goal.key)
        what = f"{measure.title}, {shown.title}"
        if goal.peer:
            ratio = found.ratio(goal.peer, goal.measure, shown)
            if ratio is not None:
                name = catalog.peer(goal.peer).name
                wanted = f"at least {goal.limit:g} times as good as {name}"
                judged.append(Verdict(what, wanted, f"{ratio:.2f} times", ratio >= goal.limit))
            continue
        more = shown.better == "more"
        bound = f"{'>=' if more else '<='} {number(goal.limit)} {shown.unit}"
        ours = found.summary(catalog.OURS, goal.measure, goal.key)
        if ours is None:
            judged.append(Verdict(what, bound, "not reached", met=False))
            continue
        met = ours.median >= goal.limit if more else ours.median <= goal.limit
        judged.append(Verdict(what, bound, f"{number(ours.median)} {shown.unit}", met))
    return judged
