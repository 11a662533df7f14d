"""Methods about applications."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from concurrent_framework.api.method import Call, IApiMethods, api_method
from concurrent_framework.components import Component, implements
from concurrent_framework.model.errors import ConcurrentError, UsageError

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

        The master keeps the last thousand pieces of each application, and the last 200 of the twenty
        that ended last.
        """
        answer: dict[str, Any] = await call.api.ask(
            "output", application=str(application), since=since, limit=limit
        )
        return answer

    @api_method("applications.installed")
    async def installed(self, call: Call) -> list[str]:
        """List the applications that applications.launch can start, the samples among them."""
        return [] if call.api.launcher is None else call.api.launcher.names()

    @api_method("applications.launch", role="admin")
    async def launch(
        self,
        call: Call,
        name: Annotated[str, Meta(description="One of those that applications.installed lists.")],
        arguments: Annotated[
            list[str], Meta(description="What it finds in `self.arguments`.")
        ] = [],  # noqa: B006 (never changed: each call gets what was decoded)
        settings: Annotated[
            dict[str, str | int | float | bool | list[str]],
            Meta(description="Options for it: `section.key` to value."),
        ] = {},  # noqa: B006
    ) -> dict[str, Any]:
        """Start an installed application on this master, in a process of its own.

        Returns the application as applications.show does, once it has joined. It ends by itself, or
        with the master when that is stopped.
        """
        if call.api.launcher is None:
            message = "this node launches no applications: ask the API of a master"
            raise ConcurrentError(message)

        async def known() -> list[dict[str, Any]]:
            return [*await call.api.ask("applications"), *await call.api.ask("ended")]

        return await call.api.launcher.launch(name, arguments, settings, known)

    @api_method("applications.outcome")
    async def outcome(self, call: Call, application: Which) -> dict[str, Any]:
        """Say how an application ended, or that it still runs.

        For one that applications.launch started, `exit_code` and `output` tell how its process
        ended and what it wrote last.
        """
        found = await _found(call, str(application))
        launched = call.api.launcher
        ending = None if launched is None else launched.ending(found["application"])
        return {
            "application": found["application"],
            "name": found["name"],
            "ended": found["state"] == "ended",
            "reason": found.get("reason", ""),
            "finished": found["finished"],
            "failed": found["failed"],
            "cancelled": found["cancelled"],
            **(ending or {"exit_code": None, "output": ""}),
        }

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
