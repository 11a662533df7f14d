"""What a measure is: something done with one system, in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from benchmarks.peer import Peer

Figures = dict[str, "float | list[list[float]]"]
"""What one process found: numbers by name, and curves as lists of points."""


class Effort(NamedTuple):
    """How much to spend.

    Args:
        budget: seconds that one measured run should take.
        began: monotonic time when the process was started.

    """

    budget: float
    began: float


class Shown(NamedTuple):
    """A figure that a measure yields.

    Args:
        key: its name in `Figures`.
        title: its name for people.
        unit: what it is counted in.
        better: which direction is better.

    """

    key: str
    title: str
    unit: str
    better: Literal["more", "less"]


class Measure(NamedTuple):
    """Something to measure in every system.

    Args:
        name: how the command line calls it.
        title: how the report does.
        about: what exactly is done.
        shown: the figures it yields, the most telling first.
        work: does it.
        start: starting the system is part of it.

    """

    name: str
    title: str
    about: str
    shown: tuple[Shown, ...]
    work: Callable[[Peer, Effort], Coroutine[Any, Any, Figures]]
    start: bool = False
