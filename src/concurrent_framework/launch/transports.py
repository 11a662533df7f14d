"""Which transport an endpoint is for: that of its scheme, built in or of a plug-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from concurrent_framework.components import ComponentManager
from concurrent_framework.launch.locate import BUILT_IN
from concurrent_framework.transport.base import ITransport

if TYPE_CHECKING:
    from pathlib import Path

    from concurrent_framework.transport.base import ServerTransport
    from concurrent_framework.transport.curve import KeyPair


class Served(NamedTuple):
    """What a master serves by.

    Args:
        transport: all of its endpoints.
        private: the endpoint of this machine.
        public: where others reach it, empty if they do not.

    """

    transport: ServerTransport
    private: str
    public: str


def transport_of(endpoint: str, components: ComponentManager | None = None) -> ITransport:
    """Return the plug-in for an endpoint; raises UsageError if there is none."""
    if components is None:
        components = ComponentManager()
        components.discover()
    return components.get(ITransport, endpoint.partition("://")[0])


def serve(components: ComponentManager, socket: Path, listen: str, keys: KeyPair | None) -> Served:
    """Bind a master's private endpoint, and the one for others if there is one.

    Args:
        components: where transports of plug-ins are.
        socket: path of the private endpoint.
        listen: ``scheme://host:port``, empty for none.
        keys: the master's, if others are served.

    Raises:
        UsageError: an endpoint is taken or malformed, or there is no such transport.

    """
    from concurrent_framework.transport.zmq import ZmqServer

    scheme, separator, _ = listen.partition("://")
    if not separator or scheme in BUILT_IN:
        both = ZmqServer(ipc=socket, tcp=listen or None, keys=keys)
        return Served(both, both.ipc_endpoint, both.tcp_endpoint)
    from concurrent_framework.transport.several import Servers

    assert keys is not None
    plugged = transport_of(listen, components)
    private = ZmqServer(ipc=socket)
    try:
        public = plugged.serve(listen, keys)
    except BaseException:
        private.close(0)
        raise
    return Served(Servers(private, public), private.ipc_endpoint, public.endpoint)
