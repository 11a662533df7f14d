"""What `concurrent master` and `concurrent worker` were told, read as `run_options` does.

For help and mistakes the answer is None, and Typer reads the same words and explains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from concurrent_framework.cli.words import is_count, read

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMON = {"--name": "name", "--set": "set"}
MASTER = {**COMMON, "--listen": "listen", "-l": "listen"}
WORKER = {
    **COMMON,
    "--join": "join",
    "-j": "join",
    "--executors": "executors",
    "-e": "executors",
    "--label": "label",
}


class NodeOptions(NamedTuple):
    """The options of a node: `place` is where a master listens, or what a worker joins."""

    place: str
    name: str
    settings: tuple[str, ...]


def read_master(words: Sequence[str]) -> NodeOptions | None:
    """Read the words after ``master``; None if they need explaining.

    Example:
        >>> read_master(["--name", "lab", "-l", "tcp://*:8081"])
        NodeOptions(place='tcp://*:8081', name='lab', settings=())

    """
    found = read(words, MASTER, {})
    if found is None or found.places or found.rest:
        return None
    settings = tuple(found.values.get("set", ()))
    return NodeOptions(found.last("listen"), found.last("name"), settings)


def read_worker(words: Sequence[str]) -> NodeOptions | None:
    """Read the words after ``worker``; None if they need explaining.

    Example:
        >>> read_worker(["--executors", "2", "--label", "gpu"]).settings
        ('worker.executors=2', 'worker.labels=gpu')

    """
    found = read(words, WORKER, {})
    if found is None or found.places or found.rest:
        return None
    executors = found.last("executors")
    if "executors" in found.values and not is_count(executors):
        return None
    settings = tuple(found.values.get("set", ()))
    more = worker_settings(executors, found.values.get("label", ()))
    return NodeOptions(found.last("join"), found.last("name"), (*settings, *more))


def worker_settings(executors: str, labels: Sequence[str]) -> tuple[str, ...]:
    """Return what the options that only a worker has stand for."""
    return (
        *([f"worker.executors={executors}"] if executors else ()),
        *([f"worker.labels={','.join(labels)}"] if labels else ()),
    )
