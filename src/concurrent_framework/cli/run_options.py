"""What `concurrent run` was told, read without any library so that the swarm starts at once.

`read_quickly` understands exactly the correct use; for everything else (help, mistakes) it answers
None and Typer, which takes a tenth of a second to load, reads the same options and explains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from concurrent_framework.cli.words import is_count, read

if TYPE_CHECKING:
    from collections.abc import Sequence


class RunOptions(NamedTuple):
    """The options of `concurrent run`.

    Args:
        target: what to run, as typed.
        workers: tasks that run at a time on this machine; None for one per core.
        join: link or endpoint of a master, empty for an embedded cluster.
        settings: ``section.key=value`` each.
        detach: leave as soon as the master has the task system.
        quiet: no progress bar.
        resume: take over the application of this name that the master has, if it has one.
        dashboard: serve the API and the dashboard while it runs.
        arguments: what the application gets as `self.arguments`.

    """

    target: str
    workers: int | None = None
    join: str = ""
    settings: tuple[str, ...] = ()
    detach: bool = False
    quiet: bool = False
    resume: bool = False
    dashboard: bool = False
    arguments: tuple[str, ...] = ()


VALUED = {"--workers": "workers", "-w": "workers", "--join": "join", "-j": "join", "--set": "set"}
FLAGS = {
    "--detach": "detach",
    "-d": "detach",
    "--quiet": "quiet",
    "-q": "quiet",
    "--resume": "resume",
    "--dashboard": "dashboard",
}


def read_quickly(words: Sequence[str]) -> RunOptions | None:
    """Read the words after ``run``; None if they need explaining.

    Example:
        >>> read_quickly(["hello.py", "--workers", "2", "--", "--size", "9"]).arguments
        ('--size', '9')
        >>> read_quickly(["hello.py", "--wrokers", "2"]) is None
        True

    """
    found = read(words, VALUED, FLAGS)
    if found is None or not found.places:
        return None
    workers = found.last("workers")
    if "workers" in found.values and not is_count(workers):
        return None
    return RunOptions(
        target=found.places[0],
        workers=int(workers) if workers else None,
        join=found.last("join"),
        settings=tuple(found.values.get("set", ())),
        detach="detach" in found.flags,
        quiet="quiet" in found.flags,
        resume="resume" in found.flags,
        dashboard="dashboard" in found.flags,
        arguments=(*found.places[1:], *found.rest),
    )
