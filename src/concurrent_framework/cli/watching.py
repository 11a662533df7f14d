"""What two looks at a master tell that one does not: rates, and when an application will be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

SMOOTH = 0.3
"""Weight of the newest rate in the smoothed one."""


class Look(NamedTuple):
    """The cluster at a moment.

    Args:
        status: the master in a few numbers.
        rate: tasks that end per second.
        nodes: the workers, each with its `rate`.
        applications: the applications, each with its `rate`, `done`, `total`, and `eta` in seconds,
            None if that cannot be told.

    """

    status: dict[str, Any]
    rate: float
    nodes: list[dict[str, Any]]
    applications: list[dict[str, Any]]


class Watch:
    """Turns looks into rates.

    Example:
        >>> watch = Watch()
        >>> status = {"outcomes": 0}
        >>> application = {"application": 1, "submitted": 100, "finished": 0, "failed": 0,
        ...                "cancelled": 0, "progress": None, "systems": []}
        >>> _ = watch.take(0.0, status, [], [application])
        >>> look = watch.take(2.0, {"outcomes": 50}, [], [{**application, "finished": 50}])
        >>> look.rate, look.applications[0]["eta"]
        (25.0, 2.0)

    """

    def __init__(self) -> None:
        self._before: dict[object, tuple[float, float]] = {}
        self._rates: dict[object, float] = {}

    def take(
        self,
        now: float,
        status: dict[str, Any],
        nodes: Sequence[dict[str, Any]],
        applications: Sequence[dict[str, Any]],
    ) -> Look:
        """Take in answers of a master.

        Args:
            now: monotonic time in seconds.
            status: its answer to ``status``.
            nodes: to ``workers``.
            applications: to ``applications``.

        """
        return Look(
            status,
            self._rate("all", now, status["outcomes"]),
            [
                {**one, "rate": self._rate(("node", one["worker"]), now, one["finished"])}
                for one in nodes
            ],
            [self._progress(now, one) for one in applications],
        )

    def _progress(self, now: float, one: dict[str, Any]) -> dict[str, Any]:
        family = [one, *one["systems"]]
        ended = sum(each["finished"] + each["failed"] + each["cancelled"] for each in family)
        rate = self._rate(("application", one["application"]), now, ended)
        note = next((each["progress"] for each in family if each["progress"]), None)
        if note:
            done, total = note["done"], note["total"]
        else:
            done, total = ended, sum(each["submitted"] for each in family)
        pace = self._rate(("progress", one["application"]), now, done)
        eta = (total - done) / pace if pace > 0 and total > done else None
        return {**one, "rate": rate, "done": done, "total": total, "eta": eta}

    def _rate(self, what: object, now: float, count: float) -> float:
        """Return the smoothed growth of a count per second."""
        then, before = self._before.get(what, (now, count))
        self._before[what] = (now, count)
        if now <= then:
            return self._rates.get(what, 0.0)
        fresh = max(0.0, (count - before) / (now - then))
        known = self._rates.get(what)
        rate = fresh if known is None else known + SMOOTH * (fresh - known)
        self._rates[what] = rate
        return rate
