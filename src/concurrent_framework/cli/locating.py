"""Which master a command is about: that of a link, of an environment that runs, or of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from concurrent_framework.launch.locate import AUTO, locate

if TYPE_CHECKING:
    from concurrent_framework.application.connection import Connection


def master_of(join: str, *, embedded: bool = False) -> Connection:
    """Return the connection to the master that a person named.

    Args:
        join: what `launch.locate` takes, or the path of an environment that runs.
        embedded: whether it may be the master of a running application's own cluster.

    Raises:
        UsageError: it is neither a link nor the path of an environment.
        MasterNotFoundError: none runs here, or the environment does not run.

    """
    if join in {"", AUTO} or "://" in join:  # the usual case, told without importing more
        return locate(join, embedded=embedded)
    from concurrent_framework.environment.monitoring import is_path

    if not is_path(join):
        return locate(join, embedded=embedded)
    from concurrent_framework.cli.opening import opened_as_it_is
    from concurrent_framework.environment import connection_to

    return connection_to(opened_as_it_is(Path(join)))


def runner_of(path: str) -> dict[str, Any]:
    """Return what is known of an environment that runs: title, path, app, process, since when.

    Raises:
        UsageError: there is no environment.
        MasterNotFoundError: it does not run.

    """
    from concurrent_framework.cli.opening import opened_as_it_is
    from concurrent_framework.environment.lock import holder_of
    from concurrent_framework.environment.monitoring import not_running

    environment = opened_as_it_is(Path(path))
    holder = holder_of(environment.layout)
    if holder is None:
        raise not_running(environment.layout)
    return {
        "name": environment.title,
        "path": str(environment.layout.root),
        "app": environment.application,
        "pid": holder.pid,
        "doing": holder.doing,
        "since": holder.since,
    }
