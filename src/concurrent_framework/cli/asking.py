"""Asks the master that a command is about."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from concurrent_framework.application.node import ApplicationNode
from concurrent_framework.cli.locating import master_of
from concurrent_framework.config import Config
from concurrent_framework.launch.client import MasterClient

if TYPE_CHECKING:
    from concurrent_framework.application.connection import Connection
    from concurrent_framework.protocol.application import QueryKind


def client_of(connection: Connection) -> MasterClient:
    """Return a client that waits as long as applications do: ``application.connect_timeout``."""
    timeout = Config.load(None, os.environ).value(ApplicationNode.connect_timeout)
    return MasterClient(connection, timeout=timeout)


def ask(join: str, kind: QueryKind, arguments: dict[str, Any] | None = None) -> Any:
    """Ask the master of a link or an environment, or the one on this machine; return its answer."""
    with client_of(master_of(join, embedded=True)) as client:
        return client.query(kind, arguments)
