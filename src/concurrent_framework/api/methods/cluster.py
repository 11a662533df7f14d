"""Methods about the cluster and the node that is asked as a whole."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from concurrent_framework.api.method import EVERY_NODE, Call, IApiMethods, api_method
from concurrent_framework.api.openrpc import document
from concurrent_framework.components import Component, implements


class ClusterMethods(Component):
    """Looks at the cluster and at the node itself."""

    implements(IApiMethods)
    name = "api-cluster"

    @api_method("cluster.status")
    async def status(self, call: Call) -> dict[str, Any]:
        """Describe the cluster in a few numbers.

        Workers and executors, tasks by state, how long the master has been up, and which pattern of
        work it uses. The tasks of applications that have ended are not counted.
        """
        answer: dict[str, Any] = await call.api.ask("status")
        return answer

    @api_method("node.status", nodes=EVERY_NODE)
    async def node(self, call: Call) -> dict[str, Any]:
        """Say which node this is, and what it says of itself."""
        return {"kind": call.api.kind, "name": call.api.name, **call.api.status()}

    @api_method("statistics.get", nodes=EVERY_NODE)
    async def statistics(
        self,
        call: Call,
        prefix: Annotated[
            str, Meta(description="Only those whose names begin so, such as `master.`.")
        ] = "",
    ) -> dict[str, Any]:
        """Return the node's statistics, by subsystem and name.

        Each has its kind: a counter has count and rate, a gauge a value, a histogram count, rate,
        min, max, mean and percentiles.
        """
        found = call.api.statistics()
        return {name: one for name, one in found.items() if name.startswith(prefix)}

    @api_method("configuration.get", nodes=EVERY_NODE)
    async def configuration(self, call: Call) -> list[dict[str, Any]]:
        """List every option: its value, where that comes from, its default and what it is for."""
        return [
            {**row._asdict(), "option": f"{row.section}.{row.key}"}
            for row in call.api.components.describe_options()
        ]

    @api_method("plugins.list", nodes=EVERY_NODE)
    async def plugins(self, call: Call) -> list[dict[str, Any]]:
        """List all components and plug-ins: what they implement, and whether they work."""
        return [one._asdict() for one in call.api.components.describe()]

    @api_method("rpc.discover", nodes=EVERY_NODE)
    async def discover(self, call: Call) -> dict[str, Any]:
        """Describe all methods of this node as an OpenRPC document."""
        assert call.api.methods is not None
        return document(call.api.methods, f"Concurrent {call.api.kind} {call.api.name}")

    @api_method("events.list")
    async def events(
        self,
        call: Call,
        after: Annotated[
            str, Meta(description="The id of the last event known; empty for the newest ones.")
        ] = "",
        limit: Annotated[int, Meta(ge=1, le=5000, description="How many at most.")] = 100,
        runs: Annotated[bool, Meta(description="Whether to list batches of tasks too.")] = True,
    ) -> dict[str, Any]:
        """List what has happened, the oldest first; `GET /events` tells it live.

        The master keeps the last thousands. With `last` as the next `after` nothing is missed or
        told twice: it is the id of the last event told, or the newest one if there are no more.
        """
        assert call.api.feed is not None
        return await call.api.feed.page(after, limit, runs=runs)

    @api_method("journal.status")
    async def journal(self, call: Call) -> dict[str, Any]:
        """Say whether accepted work is kept in a journal, in which store, and how much is in it.

        `sync` is what it survives, `needed_bytes` about how much of it still matters, `pending` how
        many rounds of the master wait to be written down, and `trouble` why, if the store takes
        nothing at present. Without a journal there is only `enabled`, which is false.
        """
        answer: dict[str, Any] = await call.api.ask("status")
        found: dict[str, Any] = answer["journal"]
        return found
