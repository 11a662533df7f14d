"""Methods that steer applications, tasks and workers; each is an order that the master obeys."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from concurrent_framework.api.method import Call, IApiMethods, api_method
from concurrent_framework.api.methods.applications import Which
from concurrent_framework.api.methods.nodes import Name
from concurrent_framework.api.methods.tasks import Key
from concurrent_framework.components import Component, implements


class SteeringMethods(Component):
    """Pauses, prefers, drains and repeats. A master that cannot obey an order has no such method."""

    implements(IApiMethods)
    name = "api-steering"

    @api_method("applications.pause", role="admin", needs="pause")
    async def pause(self, call: Call, application: Which) -> Any:
        """Hand out nothing more of an application and its systems; what runs goes on."""
        return await call.api.ask("pause", application=str(application))

    @api_method("applications.resume", role="admin", needs="resume")
    async def resume(self, call: Call, application: Which) -> Any:
        """Go on with an application that was paused."""
        return await call.api.ask("resume", target=str(application))

    @api_method("applications.priority", role="admin", needs="priority")
    async def priority(
        self,
        call: Call,
        application: Which,
        priority: Annotated[
            int | None, Meta(description="What is added to the priority of its tasks.")
        ] = None,
        weight: Annotated[
            Annotated[float, Meta(ge=0.001, le=1000)] | None,
            Meta(description="Its share of the swarm relative to others of the same priority."),
        ] = None,
    ) -> Any:
        """Set an application's priority, its weight, or both."""
        return await call.api.ask(
            "priority", application=str(application), priority=priority, weight=weight
        )

    @api_method("tasks.retry", role="admin", needs="retry")
    async def retry(self, call: Call, task: Key) -> Any:
        """Attempt a failed task again, or a failed task system from its last checkpoint."""
        return await call.api.ask("retry", target=task)

    @api_method("nodes.drain", role="admin", needs="drain")
    async def drain(self, call: Call, worker: Name) -> Any:
        """Give a worker nothing new; it finishes what it has."""
        return await call.api.ask("drain", worker=worker)

    @api_method("nodes.resume", role="admin", needs="resume")
    async def resume_node(self, call: Call, worker: Name) -> Any:
        """Give a worker work again that was drained or is in quarantine."""
        return await call.api.ask("resume", target=worker)

    @api_method("nodes.remove", role="admin", needs="remove")
    async def remove(self, call: Call, worker: Name) -> Any:
        """Send a worker away: what it has is run elsewhere, and its process ends."""
        return await call.api.ask("remove", worker=worker)
