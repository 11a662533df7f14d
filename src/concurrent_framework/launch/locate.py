"""From what a person says of a master to the connection that reaches it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.application.connection import Connection

if TYPE_CHECKING:
    from concurrent_framework.components import ComponentManager

AUTO = "auto"
"""The link to the master that runs on this machine."""


BUILT_IN = frozenset({"ipc", "tcp"})
"""Schemes of endpoints that need no plug-in."""


def locate(
    link: str, *, embedded: bool = False, components: ComponentManager | None = None
) -> Connection:
    """Return the connection a link stands for, or that of the one master on this machine.

    Args:
        link: ``concurrent://host:port?key=…&token=…``, ``ipc:///path``, or for the master that
            runs on this machine ``auto`` or nothing.
        embedded: whether that may be the master of a running application's own cluster.
        components: where transports of plug-ins are; None for those that are installed.

    Raises:
        UsageError: the link is malformed, its transport is not installed, or several masters run
            here.
        MasterNotFoundError: no link was given and no master runs here.

    """
    if link in {"", AUTO}:
        from concurrent_framework.launch.registry import find

        return Connection(find(embedded=embedded).endpoint)
    from concurrent_framework.security.link import Link

    parsed = Link.parse(link)
    if parsed.path or parsed.transport in BUILT_IN:
        return Connection(parsed.endpoint, parsed.server_key, parsed.token)
    from concurrent_framework.launch.transports import transport_of

    transport = transport_of(parsed.endpoint, components)
    return Connection(
        parsed.endpoint,
        parsed.server_key,
        parsed.token,
        transport=lambda: transport.connect(parsed.endpoint, parsed.server_key),
    )
