"""Weighted fair sharing of run time between applications. PURE.

Start-time fair queueing (Goyal, Vin, Cheng 1996): each application has a virtual time that grows by
the run time it was given, divided by its weight; the one with the lowest goes next. One that comes
back from idleness starts at the present, so that it can neither save up time nor be punished for
having used some.
"""

from __future__ import annotations


class FairShares:
    """Virtual times of the applications that compete."""

    def __init__(self) -> None:
        self._times: dict[int, float] = {}
        self._weights: dict[int, float] = {}
        self._present: dict[int, int] = {}
        self._now = 0.0

    def weigh(self, application: int, weight: float) -> None:
        """Set an application's weight, > 0; 1 unless set."""
        self._weights[application] = weight

    def join(self, application: int) -> None:
        """Count an application in: it has tasks ready (once for each priority)."""
        present = self._present.get(application, 0)
        if not present:
            self._times[application] = max(self._times.get(application, 0.0), self._now)
        self._present[application] = present + 1

    def leave(self, application: int) -> None:
        """Count an application out: it has no tasks ready any more (at one priority)."""
        self._present[application] -= 1

    def catch_up(self, application: int) -> None:
        """Let an application that was held back start at the present: it has saved up nothing."""
        if application in self._times:
            self._times[application] = max(self._times[application], self._now)

    def forget(self, application: int) -> None:
        """Drop an application that is over."""
        self._times.pop(application, None)
        self._weights.pop(application, None)
        self._present.pop(application, None)

    def used(self, application: int) -> float:
        """Return an application's virtual time."""
        return self._times[application]

    def charge(self, application: int, seconds: float) -> None:
        """Note that an application was given this much run time."""
        start = self._times[application]
        self._now = max(self._now, start)
        self._times[application] = start + seconds / self._weights.get(application, 1.0)
