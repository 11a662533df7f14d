"""Running what an environment names: a master, a worker, or an application."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from concurrent_framework.application.console import PlainDisplay
from concurrent_framework.application.node import ApplicationNode
from concurrent_framework.components import IApp
from concurrent_framework.environment.lock import RUNNING, STARTING, locked
from concurrent_framework.environment.logs import LoggedDisplay, logging_to
from concurrent_framework.environment.monitoring import joined_by
from concurrent_framework.environment.settings import demand_application
from concurrent_framework.model.errors import ConcurrentError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from logging import Logger

    from concurrent_framework.application.connection import Connection
    from concurrent_framework.application.console import Display
    from concurrent_framework.environment.environment import Environment

NODES = frozenset({"master", "worker"})
"""What is launched as a part of a cluster; everything else is an application."""


def launch(
    environment: Environment,
    *,
    arguments: Sequence[str] = (),
    display: Callable[[], Display] = PlainDisplay,
) -> int:
    """Run what an environment names, in this process, until it ends; return its exit code.

    Args:
        environment: an open environment.
        arguments: what an application finds in ``self.arguments``.
        display: makes what shows an application's output, once its cluster has been started:
            a process is forked best before it has threads.

    Raises:
        UsageError: if it is running already, names no application, or one that does not exist.
        ConcurrentError: whatever of this kind the application raises.

    """
    root = environment.layout.root
    if not environment.application:
        message = f"{root} names no application: `concurrent env app {root} NAME` sets it"
        raise UsageError(message)
    demand_application(environment, environment.application)
    is_node = environment.application in NODES
    with (
        locked(environment.layout, STARTING) as note,
        logging_to(environment, echo=is_node) as log,
    ):
        for problem in environment.components.problems:
            log.error("plug-in %s %s\n%s", *problem)
        log.info("%s starts as %s", environment.title, environment.application)
        environment.tell("launched")
        exit_code = 1
        try:
            if is_node:
                exit_code = _run_node(environment, log, lambda: note(RUNNING))
            else:
                exit_code = _run_application(
                    environment,
                    arguments,
                    lambda: LoggedDisplay(display(), log),
                    lambda: note(RUNNING),
                )
        except ConcurrentError as error:
            log.error("%s", error)  # noqa: TRY400 (a message of ours is told without its traceback)
            raise
        except Exception:
            log.exception("%s raised", environment.application)
            raise
        finally:
            log.info("%s ended with exit code %d", environment.title, exit_code)
            environment.tell("ended", exit_code)
        return exit_code


def _run_node(environment: Environment, log: Logger, running: Callable[[], None]) -> int:
    from concurrent_framework.api.serving import beside
    from concurrent_framework.launch.nodes import run_master, run_worker

    components, title = environment.components, environment.title
    if environment.application == "master":
        running()
        return run_master(
            components.config,
            listen=environment.listen,
            name=title,
            components=components,
            keys=environment.layout.keys,
            journal=environment.layout.data / "journal",
            log=log,
            beside=beside,
            plugins=environment.layout.plugins,
        )
    connection = joined_by(environment)
    running()
    return run_worker(
        components.config, connection, name=title, components=components, log=log, beside=beside
    )


def _run_application(
    environment: Environment,
    arguments: Sequence[str],
    display: Callable[[], Display],
    running: Callable[[], None],
) -> int:
    components, name = environment.components, environment.application
    if not issubclass(components.find(IApp, name), ApplicationNode):
        app = components.get(IApp, name)
        app.app_init()
        running()
        return app.app_main()
    with _swarm(environment) as connection:
        node = cast(ApplicationNode, components.get(IApp, name))
        node.link, node.arguments, node.display = connection, list(arguments), display()
        node.app_init()
        running()
        return node.app_main()


@contextmanager
def _swarm(environment: Environment) -> Iterator[Connection]:
    """Give the connection to the master that is named, or to a cluster made for the purpose."""
    if environment.join:
        yield joined_by(environment)
        return
    from concurrent_framework.launch.embedded import EmbeddedCluster

    plugins = environment.layout.plugins
    with EmbeddedCluster(environment.config, plugins=plugins) as cluster:
        yield cluster.connection
