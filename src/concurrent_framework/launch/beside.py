"""What runs beside a node in its process, such as its HTTP server: given from above, started late."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from logging import Logger
    from pathlib import Path

    from concurrent_framework.application.connection import Connection
    from concurrent_framework.components import ComponentManager
    from concurrent_framework.security.tokens import TokenBook
    from concurrent_framework.stats import Registry


class NodeFacts(NamedTuple):
    """What is known of a node from outside.

    Args:
        kind: what it is.
        name: what people call it.
        components: those of its process.
        directory: a private directory that exists while it runs.
        stats: its statistics.
        status: returns what it says of itself; may be called by any thread.
        log: where to write.
        connection: reaches its master, None if it may only work for it.
        book: the master's tokens; None for a node that has none.
        token: returns a token for a role, the same from start to start; None as above.
        plugins: the folder of an environment's plug-ins, None for none.

    """

    kind: Literal["master", "worker", "application"]
    name: str
    components: ComponentManager
    directory: Path
    stats: Registry
    status: Callable[[], Mapping[str, Any]]
    log: Logger
    connection: Connection | None = None
    book: TokenBook | None = None
    token: Callable[[Any], str] | None = None
    plugins: Path | None = None


Beside = Callable[[NodeFacts], AbstractContextManager[str]]
"""Starts something beside a node, ends it with the block; gives what the node prints of it."""


def nothing(_facts: NodeFacts) -> AbstractContextManager[str]:
    """Start nothing."""
    return nullcontext("")
