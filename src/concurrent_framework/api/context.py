"""What API methods can ask: the node they belong to, and its master."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from concurrent_framework.model.errors import ConcurrentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from concurrent_framework.api.feed import Feed
    from concurrent_framework.api.launching import Launcher
    from concurrent_framework.api.method import MethodTable, NodeKind
    from concurrent_framework.components import ComponentManager
    from concurrent_framework.security.tokens import TokenBook


class Master(Protocol):
    """Whoever answers questions about the master."""

    async def ask(self, kind: str, arguments: dict[str, Any] | None = None) -> Any:
        """Return the answer to a `protocol.application.Query`."""


@dataclass
class ApiContext:
    """What an API method is given to work with, by its `Call`.

    Attributes:
        kind: what the node is.
        name: what people call it.
        components: those of the node, with its configuration.
        statistics: returns the node's statistics as values of builtin types.
        status: returns what the node says of itself, for nodes other than a master.
        book: the tokens that are let in.
        master: answers questions about the cluster; None on a node that may not ask.
        launcher: starts applications; None on a node that does not.
        journal: where the node's log file is, None if it has none.
        methods: all methods of the node.
        feed: what happens at the master.
        url: where the node's API is, without a token.
        plugins: the folder of an environment's plug-ins, None for none.

    """

    kind: NodeKind
    name: str
    components: ComponentManager
    statistics: Callable[[], Mapping[str, Any]]
    status: Callable[[], Mapping[str, Any]]
    book: TokenBook
    master: Master | None = None
    launcher: Launcher | None = None
    journal: Path | None = None
    methods: MethodTable | None = None
    feed: Feed | None = None
    url: str = ""
    plugins: Path | None = None

    async def ask(self, kind: str, **arguments: Any) -> Any:
        """Ask the master; arguments that are None or empty are left out.

        Raises:
            ConcurrentError: the master has no answer, or this node may not ask it; the message is
                the reason.
            MasterNotFoundError: it does not answer at present.

        """
        if self.master is None:
            message = f"this is the API of a {self.kind}: ask that of the master"
            raise ConcurrentError(message)
        given = {name: value for name, value in arguments.items() if value not in (None, "")}
        return await self.master.ask(kind, given)
