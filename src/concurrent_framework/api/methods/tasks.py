"""Methods about tasks and failures."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from concurrent_framework.api.method import Call, IApiMethods, api_method
from concurrent_framework.components import Component, implements

Key = Annotated[
    str,
    Meta(description="The task: APPLICATION/TASK, such as `3/17`, or `3/+2` for one of a task's."),
]
Of = Annotated[
    str | int, Meta(description="Only of this application: its number or name; empty for all.")
]
Offset = Annotated[int, Meta(ge=0, description="How many to skip.")]
Limit = Annotated[int, Meta(ge=1, le=5000, description="How many at most.")]
State = Literal["", "waiting", "assigned", "finishing", "cancelling"]


class TaskMethods(Component):
    """Looks at tasks and steers them."""

    implements(IApiMethods)
    name = "api-tasks"

    @api_method("tasks.list")
    async def listed(
        self,
        call: Call,
        application: Of = "",
        state: Annotated[State, Meta(description="Only those in this state.")] = "",
        worker: Annotated[str, Meta(description="Only those on this worker.")] = "",
        name: Annotated[str, Meta(description="Only those whose name contains this.")] = "",
        offset: Offset = 0,
        limit: Limit = 100,
    ) -> dict[str, Any]:
        """List tasks that have no outcome yet, the running ones first.

        `total` says how many there are; `offset` and `limit` choose the page.
        """
        answer: dict[str, Any] = await call.api.ask(
            "tasks",
            application=str(application),
            state=state,
            worker=worker,
            name=name,
            offset=offset,
            limit=limit,
        )
        return answer

    @api_method("tasks.show")
    async def show(self, call: Call, task: Key) -> dict[str, Any]:
        """Describe one task: where it is, or how it failed.

        Its state is `unknown` if it has ended well, or never was: outcomes are the application's.
        """
        answer: dict[str, Any] = await call.api.ask("task", task=task)
        return answer

    @api_method("tasks.explain")
    async def explain(self, call: Call, task: Key) -> dict[str, Any]:
        """Say in a sentence why a task is not running, or where it is."""
        answer: dict[str, Any] = await call.api.ask("explain", task=task)
        return answer

    @api_method("tasks.cancel", role="admin")
    async def cancel(self, call: Call, task: Key) -> dict[str, Any]:
        """Cancel one task."""
        answer: dict[str, Any] = await call.api.ask("cancel", target=task)
        return answer

    @api_method("failures.list")
    async def failures(
        self, call: Call, application: Of = "", offset: Offset = 0, limit: Limit = 100
    ) -> dict[str, Any]:
        """List tasks that failed, the newest first, with traceback and death certificate.

        Also those of applications that have ended, as long as the master keeps them: see its options
        `failed_tasks` and `failed_retention`. `retriable` says whether `tasks.retry` can do it.
        """
        answer: dict[str, Any] = await call.api.ask(
            "failures", application=str(application), offset=offset, limit=limit
        )
        return answer
