"""Adds the dashboard to a node's HTTP server. It imports nothing that the server does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from concurrent_framework.api.guard import cookie_name
from concurrent_framework.api.pages import IWebPages, Pages
from concurrent_framework.components import Component, implements
from concurrent_framework.config import Option

if TYPE_CHECKING:
    from concurrent_framework.api.context import ApiContext
    from concurrent_framework.api.rpc import Dispatcher

PATH = "/dashboard"


class Dashboard(Component):
    """The dashboard of a node, in a process that is started when somebody opens it."""

    implements(IWebPages)
    name = "dashboard"

    enabled = Option(
        "dashboard", "enabled", default=True, doc="Whether a node that serves its API shows pages."
    )

    def pages(self, api: ApiContext, dispatcher: Dispatcher) -> Pages | None:  # noqa: ARG002 (the dashboard is a client like any other)
        """Return what hands requests to the dashboard's process; None if it is switched off."""
        from concurrent_framework.dashboard.bridge import Bridge
        from concurrent_framework.dashboard.wire import Start

        if not self.config.value(Dashboard.enabled):
            return None
        start = Start(
            url=api.url,
            cookie=cookie_name(urlsplit(api.url).port or 0),
            path=PATH,
            config=self.config.to_json(),
            plugins="" if api.plugins is None else str(api.plugins),
        )
        bridge = Bridge(start)
        return Pages(PATH, bridge, bridge.lifespan())
