"""Methods about the cluster's workers."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from concurrent_framework.api.method import Call, IApiMethods, api_method
from concurrent_framework.components import Component, implements
from concurrent_framework.model.errors import UsageError

Name = Annotated[str, Meta(min_length=1, description="The worker's name, as nodes.list tells it.")]


class NodeMethods(Component):
    """Looks at workers."""

    implements(IApiMethods)
    name = "api-nodes"

    @api_method("nodes.list")
    async def listed(
        self,
        call: Call,
        offset: Annotated[int, Meta(ge=0, description="How many to skip.")] = 0,
        limit: Annotated[int, Meta(ge=1, le=10_000, description="How many at most.")] = 1000,
    ) -> dict[str, Any]:
        """List the workers: what they offer, what they do, and when they were last heard of."""
        workers = await call.api.ask("workers")
        return {"total": len(workers), "nodes": workers[offset : offset + limit]}

    @api_method("nodes.show")
    async def show(self, call: Call, worker: Name) -> dict[str, Any]:
        """Describe one worker."""
        workers: list[dict[str, Any]] = await call.api.ask("workers")
        for one in workers:
            if one["worker"] == worker:
                return one
        names = ", ".join(one["worker"] for one in workers[:20]) or "none"
        message = f"there is no worker {worker!r}; there are: {names}"
        raise UsageError(message)
