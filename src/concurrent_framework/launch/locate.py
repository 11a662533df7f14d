"""From what a person says of a master to the connection that reaches it."""

from __future__ import annotations

from concurrent_framework.application.connection import Connection

AUTO = "auto"
"""The link to the master that runs on this machine."""


def locate(link: str, *, embedded: bool = False) -> Connection:
    """Return the connection a link stands for, or that of the one master on this machine.

    Args:
        link: ``concurrent://host:port?key=…&token=…``, ``ipc:///path``, or for the master that
            runs on this machine ``auto`` or nothing.
        embedded: whether that may be the master of a running application's own cluster.

    Raises:
        UsageError: the link is malformed, or several masters run here.
        MasterNotFoundError: no link was given and no master runs here.

    """
    if link in {"", AUTO}:
        from concurrent_framework.launch.registry import find

        return Connection(find(embedded=embedded).endpoint)
    from concurrent_framework.security.link import Link

    parsed = Link.parse(link)
    return Connection(parsed.endpoint, parsed.server_key, parsed.token)
