"""Running applications from Python: `run`, and `LocalCluster` for several in a row."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Self, TypeVar

from concurrent_framework.application.interrupts import INTERRUPTED
from concurrent_framework.config import Config
from concurrent_framework.launch.components import components_for
from concurrent_framework.launch.embedded import EmbeddedCluster
from concurrent_framework.launch.importing import being_imported
from concurrent_framework.launch.locate import locate
from concurrent_framework.model.errors import ConcurrentError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.application.connection import Connection
    from concurrent_framework.application.node import ApplicationNode

A = TypeVar("A", bound="ApplicationNode")


def run(
    application: type[A],
    *,
    workers: int | None = None,
    join: str = "",
    arguments: Sequence[str] = (),
    settings: Sequence[str] = (),
) -> A:
    """Run an application until it ends: here, on a cluster made for it, or on a master's swarm.

    It belongs to the program that is started. While a module is being imported, by a worker or by
    `concurrent run`, it does nothing but return an application that has not run.

    Args:
        application: its class.
        workers: tasks to run at a time on this machine; None for one per core.
        join: link of a master to run on instead.
        arguments: what the application finds in ``self.arguments``.
        settings: ``section.key=value`` each, as with ``--set``.

    Returns:
        The application, for whatever it has kept.

    Raises:
        SystemExit: with the application's exit code if that is not 0; with 2 for something that
            cannot work, 3 if no master answers, 4 if it refuses, 130 after Ctrl-C. What happened is
            on stderr.

    Example:
        ::

            if __name__ == "__main__":
                run(MyApplication, workers=4)

    """
    try:
        config = Config.load(None, os.environ, settings)
        if being_imported():
            return components_for(config, application).create(application)
        if join:
            return _run_on(locate(join), application, config, arguments)
        if config:
            components_for(config, application)  # wrong settings are told before anything starts
        with EmbeddedCluster(config, workers) as cluster:
            return _run_on(cluster.connection, application, config, arguments)
    except ConcurrentError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:  # before the application runs, or after
        raise SystemExit(INTERRUPTED) from None


def _run_on(
    connection: Connection, application: type[A], config: Config, arguments: Sequence[str]
) -> A:
    node = components_for(config, application).create(application)
    node.link = connection
    node.arguments = list(arguments)
    node.app_init()
    code = node.app_main()
    if code:
        raise SystemExit(code)
    return node


class LocalCluster:
    """A master and executors on this machine, for several applications one after the other.

    Args:
        workers: tasks to run at a time; None for one per core.
        settings: ``section.key=value`` each, as with ``--set``.

    Example:
        ::

            with LocalCluster(workers=4) as cluster:
                cluster.run(FirstApplication)
                cluster.run(SecondApplication)

    """

    def __init__(self, workers: int | None = None, settings: Sequence[str] = ()) -> None:
        self._config = Config.load(None, os.environ, settings)
        self._embedded = EmbeddedCluster(self._config, workers)

    def __enter__(self) -> Self:
        if module := being_imported():
            message = (
                f"a LocalCluster was started while {module} was being imported, which workers do "
                "too: start it under `if __name__ == '__main__':`"
            )
            raise UsageError(message)
        self._embedded.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._embedded.close()

    @property
    def connection(self) -> Connection:
        """Where the cluster's master is."""
        return self._embedded.connection

    def _repr_html_(self) -> str:
        """Return what notebooks show."""
        from concurrent_framework.application.notebook import picture
        from concurrent_framework.launch.client import MasterClient

        if not self._embedded.filenos():
            return picture("LocalCluster", "not running", {})
        with MasterClient(self.connection) as client:
            status = client.query("status")
        tasks = status["tasks"]
        facts = {
            "executors": status["executors"],
            "waiting": f"{tasks['waiting']:,}",
            "running": f"{tasks['assigned']:,}",
            "outcomes": f"{status['outcomes']:,}",
        }
        return picture("LocalCluster", "running", facts)

    def run(self, application: type[A], arguments: Sequence[str] = ()) -> A:
        """Run an application until it ends and return it.

        Raises:
            SystemExit: with the application's exit code if that is not 0.

        """
        return _run_on(self.connection, application, self._config, arguments)
