"""Questions and orders of people to a simulated master."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from concurrent_framework.master.events import Greeted, Received
from concurrent_framework.protocol.application import Query
from concurrent_framework.protocol.session import Hello

if TYPE_CHECKING:
    from concurrent_framework.protocol.application import QueryKind
    from concurrent_framework.protocol.session import Role
    from concurrent_framework.testing.cluster import SimCluster


class RefusedOrderError(Exception):
    """The master did not do it."""


def order(cluster: SimCluster, kind: QueryKind, role: Role = "admin", **arguments: Any) -> Any:
    """Ask or order something as a command does; raises with the master's reason."""
    peer = f"person-{len(cluster.log)}-{cluster.clock.now}"
    hello = Hello(role, "5e55")
    cluster.answers.clear()
    query = Received(peer, [Query(1, kind, arguments)])
    cluster.feed([Greeted(peer, hello, frozenset({role})), query])
    [answer] = cluster.answers
    if answer.error:
        raise RefusedOrderError(answer.error)
    return answer.value
