"""Putting nodes together: what a master and a worker need, made and handed to them in order.

A node forks its template process first, before ZeroMQ starts threads.
"""

from __future__ import annotations

import logging
import os
import secrets
import select
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from concurrent_framework import __version__
from concurrent_framework.application.connection import Connection
from concurrent_framework.code.cache import CodeCache
from concurrent_framework.config import Config
from concurrent_framework.launch.beside import NodeFacts, nothing
from concurrent_framework.launch.components import components_for
from concurrent_framework.launch.lifeline import name_process
from concurrent_framework.launch.logs import formatter_for, make_log
from concurrent_framework.launch.template import Template
from concurrent_framework.launch.worker_directory import worker_directory
from concurrent_framework.master.node import MasterNode, MasterPlaces
from concurrent_framework.model.errors import ConcurrentError
from concurrent_framework.stats import NOTHING, registry_for
from concurrent_framework.stats.dumping import dumping
from concurrent_framework.transport.signals import StopSignal
from concurrent_framework.worker.node import WorkerNode, WorkerPlaces
from concurrent_framework.worker.reactor import Identity

if TYPE_CHECKING:
    from concurrent_framework.components import ComponentManager
    from concurrent_framework.launch.beside import Beside
    from concurrent_framework.protocol.session import Hello, Role

LOCAL_ROLES: frozenset[Role] = frozenset({"submit", "execute", "observe", "admin", "host"})
"""Whoever can open the private socket is the user who started the master, or root."""


def run_master(
    config: Config,
    *,
    listen: str = "",
    name: str = "",
    components: ComponentManager | None = None,
    keys: Path | None = None,
    journal: Path | None = None,
    log: logging.Logger | None = None,
    beside: Beside = nothing,
    plugins: Path | None = None,
) -> int:
    """Run a master until it is stopped; return its exit code.

    Args:
        config: its options.
        listen: ``tcp://host:port`` to serve other machines too, or that of a plug-in's transport;
            empty for this machine only.
        name: what people call it; by default the machine's name.
        components: those of its environment; None for what is built in and installed.
        keys: directory of its keys and tokens; None for that of the user.
        journal: directory of its journal; None for one in that of the user.
        log: where to write; None for stderr.
        beside: starts what runs beside it once it can be reached.
        plugins: the folder of its environment's plug-ins, None for none.

    Raises:
        UsageError: the endpoint is taken or malformed, an option is wrong, or a master of this name
            runs already.
        StoreError: the journal cannot be opened or read.

    """
    from concurrent_framework.launch import access
    from concurrent_framework.launch.registry import create
    from concurrent_framework.launch.transports import serve

    components = components or components_for(config)
    name = name or socket.gethostname()
    log = log or make_log(logging.INFO, formatter_for(config, name))
    stop = StopSignal(interrupt=True)
    journal = journal or access.journal_directory(name)
    with Template(warm=("host",)) as template, create(name, mark=str(journal)) as run:
        # One that serves its own machine only has tokens too: for its API, the same at each start.
        guard = access.Guard.open(keys or access.keys_directory())
        served = serve(components, run.socket, listen, guard.keys if listen else None)
        stats = registry_for(config)
        places = MasterPlaces(
            secrets.token_hex(16),
            name,
            __version__,
            served.transport,
            served.private,
            template,
            run.path,
            guard.grant,
            stop,
            log,
            journal,
            stats,
        )
        node = components.create(MasterNode, places)
        node.app_init()
        facts = NodeFacts(
            "master",
            name,
            components,
            run.path,
            stats,
            node.describe,
            log,
            Connection(served.private),
            guard.book,
            guard.token,
            plugins,
        )
        with beside(facts) as more, dumping(stats, config, log):
            print(access.greeting(name, guard if listen else None, served.public, more))
            sys.stdout.flush()
            return node.app_main()


def run_worker(
    config: Config,
    connection: Connection,
    *,
    name: str = "",
    components: ComponentManager | None = None,
    log: logging.Logger | None = None,
    beside: Beside = nothing,
) -> int:
    """Run a worker until it is stopped; return its exit code.

    Args:
        config: its options.
        connection: where the master is.
        name: what people call it; by default the machine's name and this process's id.
        components: those of its environment; None for what is built in and installed.
        log: where to write; None for stderr.
        beside: starts what runs beside it.

    Raises:
        MasterNotFoundError: no master answered in time.
        RefusedError: the master does not want this worker.
        UsageError: an option is wrong.

    """
    components = components or components_for(config)
    name = name or f"{socket.gethostname()}-{os.getpid()}"
    preload = components.config.value(WorkerNode.preload)
    stop = StopSignal(interrupt=True)
    log = log or make_log(logging.INFO, formatter_for(config, name))
    with (
        worker_directory() as directory,
        Template(("executor",), preload) as template,
    ):
        log.info("worker %s joins %s (Ctrl-C ends it)", name, connection.endpoint)
        stats = registry_for(config)
        places = _worker_places(connection, name, template, directory, stop, log)
        node = components.create(WorkerNode, places._replace(stats=stats))
        node.app_init()
        facts = NodeFacts("worker", name, components, directory, stats, node.describe, log)
        with beside(facts) as told, dumping(stats, config, log):
            if told:
                print(told, flush=True)
            return node.app_main()


def embedded_master(config: bytes, directory: str, plugins: str, ready: int) -> int:
    """Be the master of an embedded cluster: ready when it closes the descriptor `ready`."""
    from concurrent_framework.transport.zmq import ZmqServer

    name_process("concurrent-mstr")
    path = Path(directory)
    components = _embedded_components(config, plugins)
    stop = StopSignal(interrupt=False)
    with Template(warm=("host",)) as template:
        transport = ZmqServer(ipc=path / "master.ipc")
        os.close(ready)
        places = MasterPlaces(
            secrets.token_hex(16),
            "embedded",
            __version__,
            transport,
            transport.ipc_endpoint,
            template,
            path,
            _grant_local,
            stop,
            make_log(logging.WARNING),
            stats=NOTHING,
        )
        node = components.create(MasterNode, places)
        return _serve(node)


def embedded_worker(config: bytes, directory: str, plugins: str, ready: int, not_ready: int) -> int:
    """Be the worker of an embedded cluster; it starts once `ready` has been closed elsewhere."""
    os.close(not_ready)
    name_process("concurrent-wrkr")
    path = Path(directory)
    components = _embedded_components(config, plugins)
    stop = StopSignal(interrupt=False)
    with Template(warm=("executor",)) as template:
        select.select([ready], [], [])
        connection = Connection(f"ipc://{path / 'master.ipc'}")
        log = make_log(logging.ERROR)
        places = _worker_places(connection, "local", template, path / "worker", stop, log)
        node = components.create(WorkerNode, places)
        return _serve(node)


def _serve(node: MasterNode | WorkerNode) -> int:
    try:
        node.app_init()
        return node.app_main()
    except ConcurrentError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _embedded_components(config: bytes, plugins: str) -> ComponentManager:
    folder = Path(plugins) if plugins else None
    return components_for(Config.from_json(config), unknown=False, plugins=folder)


def _grant_local(_hello: Hello, local: bool) -> tuple[frozenset[Role], str]:  # noqa: FBT001 (see MasterPlaces)
    return (LOCAL_ROLES, "") if local else (frozenset(), "this master serves its own machine only")


def _worker_places(
    connection: Connection,
    name: str,
    template: Template,
    directory: Path,
    stop: StopSignal,
    log: logging.Logger,
) -> WorkerPlaces:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    identity = Identity(
        secrets.token_hex(16),
        name,
        socket.gethostname(),
        os.getpid(),
        connection.token,
        __version__,
    )
    cache = CodeCache(directory / "code")
    return WorkerPlaces(
        identity, connection.open(), connection.endpoint, template, directory, cache, stop, log
    )
