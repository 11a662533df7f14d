"""Reaching what was launched from an environment, to look at it and to steer it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from concurrent_framework.application.connection import Connection
from concurrent_framework.environment.layout import layout_of
from concurrent_framework.environment.lock import holder_of
from concurrent_framework.launch.locate import AUTO, locate
from concurrent_framework.launch.registry import Registry, places
from concurrent_framework.model.errors import ConcurrentError, MasterNotFoundError, UsageError

if TYPE_CHECKING:
    from concurrent_framework.environment.environment import Environment
    from concurrent_framework.environment.layout import Layout


def connection_to(environment: Environment) -> Connection:
    """Return the connection to the master that a running environment is, has or has joined.

    Raises:
        UsageError: if it has to do with no master.
        MasterNotFoundError: if it is not running, or has joined one that is not there any more.

    """
    root = environment.layout.root
    holder = holder_of(environment.layout)
    if holder is None:
        raise not_running(environment.layout)
    if own := master_of_process(holder.pid):
        return own
    if holder.runs and (environment.join or environment.application == "worker"):
        return joined_by(environment)
    message = f"{root} is in use ({holder}) and has no master to ask"
    raise UsageError(message)


def joined_by(environment: Environment) -> Connection:
    """Return the connection to the master that an environment's ``join`` names.

    Raises:
        UsageError: if that is neither a link nor the path of a master's environment.
        MasterNotFoundError: if no master runs there.

    """
    join = environment.join
    if not is_path(join):
        return locate(join, components=environment.components)
    path = environment.layout.root / join
    return replace(master_at(path), whereabouts=lambda: _endpoint_at(path))


def master_at(path: Path) -> Connection:
    """Return the connection to the master that runs from the environment at a path."""
    layout = layout_of(path)
    holder = holder_of(layout)
    if holder is None:
        raise not_running(layout)
    if own := master_of_process(holder.pid):
        return own
    message = f"{layout.root} is in use ({holder}) and is no master to join"
    raise UsageError(message)


def _endpoint_at(path: Path) -> str:
    """Return where the master of an environment listens at present; empty while it does not run."""
    try:
        return master_at(path).endpoint
    except ConcurrentError:
        return ""


def demand_joinable(join: str, root: Path) -> None:
    """Raise UsageError unless this can be joined from an environment, if a master runs there."""
    if join in {"", AUTO}:
        return
    if is_path(join):
        layout_of(root / join)
        return
    from concurrent_framework.security.link import Link

    Link.parse(join)


def is_path(join: str) -> bool:
    """Whether what is to be joined is a path and no link.

    Example:
        >>> is_path("auto"), is_path("ipc:///tmp/x.ipc"), is_path("../master"), is_path("")
        (False, False, True, False)

    """
    return bool(join) and "://" not in join and ("/" in join or Path(join).is_dir())


def master_of_process(pid: int) -> Connection | None:
    """Return the connection to the master that runs in a process, None if none does."""
    for entry in Registry(places()).entries():
        if entry.pid == pid:
            return Connection(entry.endpoint)
    return None


def not_running(layout: Layout) -> MasterNotFoundError:
    """Return the error that says so, and what to do."""
    root = layout.root
    return MasterNotFoundError(f"{root} is not running; `concurrent env launch {root}` starts it")
