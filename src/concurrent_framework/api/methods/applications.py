"""Methods about applications."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from concurrent_framework.api.method import Call, IApiMethods, api_method
from concurrent_framework.components import Component, implements
from concurrent_framework.model.errors import UsageError

Which = Annotated[
    str | int,
    Meta(description="The application's number, its name, or the beginning of its session id."),
]


class ApplicationMethods(Component):
    """Looks at applications and steers them."""

    implements(IApiMethods)
    name = "api-applications"

    @api_method("applications.list")
    async def listed(
        self,
        call: Call,
        ended: Annotated[bool, Meta(description="Whether to list those too that ended.")] = False,
        offset: Annotated[int, Meta(ge=0, description="How many to skip.")] = 0,
        limit: Annotated[int, Meta(ge=1, le=10_000, description="How many at most.")] = 1000,
    ) -> dict[str, Any]:
        """List the applications with their progress, their tasks by state, and their systems."""
        found = await call.api.ask("applications")
        if ended:
            found += await call.api.ask("ended")
        return {"total": len(found), "applications": found[offset : offset + limit]}

    @api_method("applications.show")
    async def show(self, call: Call, application: Which) -> dict[str, Any]:
        """Describe one application; for one that has ended, how it ended."""
        return await _found(call, str(application))

    @api_method("applications.output")
    async def output(
        self,
        call: Call,
        application: Which,
        since: Annotated[int, Meta(ge=0, description="The number of the last line known.")] = 0,
        limit: Annotated[int, Meta(ge=1, le=5000, description="How many lines at most.")] = 200,
    ) -> dict[str, Any]:
        """Return what an application's tasks and systems printed and logged, wherever they ran.

        The master keeps the last thousand pieces of each application.
        """
        answer: dict[str, Any] = await call.api.ask(
            "output", application=str(application), since=since, limit=limit
        )
        return answer

    @api_method("applications.cancel", role="admin")
    async def cancel(self, call: Call, application: Which) -> dict[str, Any]:
        """Cancel everything of an application that has no outcome yet; tell how many tasks."""
        answer: dict[str, Any] = await call.api.ask("cancel", target=str(application))
        return answer


async def _found(call: Call, wanted: str) -> dict[str, Any]:
    """Return an application that runs, or the last one of this number or name that ended."""
    running: list[dict[str, Any]] = await call.api.ask("applications")
    ended: list[dict[str, Any]] = await call.api.ask("ended")
    for one in (*running, *reversed(ended)):
        if wanted in (str(one["application"]), one["name"]):
            return dict(one)
    there = ", ".join(f"{one['application']} ({one['name']})" for one in running) or "none"
    message = f"there is no application {wanted!r}; there are: {there}"
    raise UsageError(message)
