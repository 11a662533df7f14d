"""Reaching what was launched from an environment, to look at it and to steer it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.application.connection import Connection
from concurrent_framework.environment.lock import holder_of
from concurrent_framework.launch.locate import locate
from concurrent_framework.launch.registry import Registry, places
from concurrent_framework.model.errors import MasterNotFoundError, UsageError

if TYPE_CHECKING:
    from concurrent_framework.environment.environment import Environment


def connection_to(environment: Environment) -> Connection:
    """Return the connection to the master that a running environment is, has or has joined.

    Raises:
        UsageError: if it has to do with no master.
        MasterNotFoundError: if it is not running, or has joined one that is not there any more.

    """
    root = environment.layout.root
    holder = holder_of(environment.layout)
    if holder is None:
        raise not_running(environment)
    if own := master_of_process(holder.pid):
        return own
    if holder.runs and (environment.join or environment.application == "worker"):
        return locate(environment.join)
    message = f"{root} is in use ({holder}) and has no master to ask"
    raise UsageError(message)


def master_of_process(pid: int) -> Connection | None:
    """Return the connection to the master that runs in a process, None if none does."""
    for entry in Registry(places()).entries():
        if entry.pid == pid:
            return Connection(entry.endpoint)
    return None


def not_running(environment: Environment) -> MasterNotFoundError:
    """Return the error that says so, and what to do."""
    root = environment.layout.root
    return MasterNotFoundError(f"{root} is not running; `concurrent env launch {root}` starts it")
