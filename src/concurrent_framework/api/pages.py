"""Pages that other components add to a node's HTTP server, such as a dashboard."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, NamedTuple

from concurrent_framework.components import Interface

if TYPE_CHECKING:
    from concurrent_framework.api.context import ApiContext
    from concurrent_framework.api.rpc import Dispatcher


class Pages(NamedTuple):
    """An ASGI application and where it is served.

    Whoever gets to it has shown a token; its role is in ``scope["state"]["role"]``.

    Args:
        path: ``/dashboard``, without a slash at its end. ``/`` leads to the first pages there are.
        app: the application.
        lifespan: entered on the server's event loop before the first request, left at the end.

    """

    path: str
    app: Any
    lifespan: AbstractAsyncContextManager[Any] | None = None


class IWebPages(Interface):
    """A component that serves pages."""

    def pages(self, api: ApiContext, dispatcher: Dispatcher) -> Pages | None:
        """Make the pages of a node, on the event loop of its HTTP server; None for none.

        Args:
            api: the node.
            dispatcher: calls API methods: ``await dispatcher.call(name, Call(api, role), params)``.

        """
