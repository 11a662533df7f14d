"""The API of an application's process, for as long as the application runs."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from concurrent_framework import __version__
from concurrent_framework.api.serving import always_beside
from concurrent_framework.launch.beside import NodeFacts
from concurrent_framework.stats import registry_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from concurrent_framework.application.connection import Connection
    from concurrent_framework.application.node import ApplicationNode
    from concurrent_framework.stats import Registry


@contextmanager
def seen(application: ApplicationNode, connection: Connection) -> Iterator[str]:
    """Serve the API while the block runs; give what to print.

    Args:
        application: it has been made and not run yet.
        connection: where its master is.

    """
    stats = registry_for(application.config)
    watch(application, stats)
    with TemporaryDirectory(prefix="concurrent-api-") as made:
        # What an embedded cluster has is in its directory, where commands look for it.
        own = connection.foundation is not None
        directory = Path(connection.endpoint.removeprefix("ipc://")).parent if own else Path(made)
        facts = NodeFacts(
            "application",
            application.full_name,
            application.components,
            directory,
            stats,
            lambda: describe(application),
            application.log,
            connection,
        )
        with always_beside(facts) as told:
            yield told


def describe(application: ApplicationNode) -> dict[str, Any]:
    """Return what an application says of itself."""
    return {
        "version": __version__,
        "pid": os.getpid(),
        "session": application.node_id_str,
        "class": type(application).__qualname__,
    }


def watch(application: ApplicationNode, stats: Registry) -> None:
    """Show what the application counts by itself. Each is one number, so any thread may read it."""

    def show(name: str, text: str) -> None:
        stats.gauge(f"application.{name}", text, lambda: getattr(application.stats, name))

    show("pushed", "Tasks pushed by this process.")
    show("finished", "Tasks that ended with a result.")
    show("failed", "Tasks that ended with an error.")
    show("outstanding", "Tasks and systems that have not ended yet.")
