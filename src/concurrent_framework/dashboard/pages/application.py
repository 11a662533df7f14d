"""One application: its progress, its tasks by the page, what failed, what it wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nicegui import ui

from concurrent_framework.cli.amounts import age, count, rate, span
from concurrent_framework.dashboard.frame import stamp
from concurrent_framework.dashboard.pages.applications import summed
from concurrent_framework.dashboard.pages.failures import Failures
from concurrent_framework.dashboard.widgets import (
    ACTIONS,
    MONO,
    NONE,
    PILL,
    STATE_KINDS,
    Paged,
    Tile,
    card,
    column,
    confirmed,
    empty,
    head,
    tool,
)

if TYPE_CHECKING:
    from concurrent_framework.dashboard.view import View

STATES = {
    "": "All states",
    "waiting": "Waiting",
    "assigned": "At a worker",
    "finishing": "Finishing",
    "cancelling": "Being cancelled",
}
LINES = 200


async def build(view: View) -> None:
    """Build the page."""
    page = _Application(view, view.parameters["application"])
    view.on_look(page.renew)
    view.on_look(page.table.renew)
    view.on_look(page.failures.renew)
    view.on_look(page.renew_output)


class _Application:
    def __init__(self, view: View, number: str) -> None:
        self._view = view
        self._number = number
        self._wanted = {"state": "", "name": ""}
        self._last = 0
        self._tools: dict[str, ui.button] = {}
        with head(f"Application {number}") as self._title:
            self._state = ui.label().classes("pill quiet")
            self._buttons()
        with ui.element("div").classes("tiles"):
            self._progress = Tile("Progress")
            self._left = Tile("Left")
            self._rate = Tile("Rate")
            self._waiting = Tile("Waiting")
            self._finished = Tile("Finished")
            self._failed = Tile("Failed")
        with card():
            self._meter = ui.html("", sanitize=False).classes("full")
            self._message = ui.label().classes("muted small")
        with card("Tasks without an outcome", flush=True) as bar:
            self._filters(bar)
            self.table = self._tasks()
        with card("Failures", flush=True):
            self.failures = Failures(view, number, size=5)
        with card("Output"):
            self._silent = ui.element("div")
            with self._silent:
                empty(
                    "subject", "Nothing written yet", "What its tasks print and log appears here."
                )
            self._output = ui.log(max_lines=LINES).classes("mono").props('aria-label="Output"')
            self._output.set_visibility(False)

    def _buttons(self) -> None:
        view = self._view
        if view.may("applications.pause"):
            self._tools["pause"] = tool("Pause", "pause", self._pause)
        if view.may("applications.resume"):
            self._tools["resume"] = tool("Resume", "play_arrow", self._resume)
        if view.may("applications.cancel"):
            self._tools["cancel"] = tool("Cancel", "block", self._cancel, danger=True)

    def _filters(self, bar: ui.element) -> None:
        with bar:
            state = ui.select(STATES, value="").props('outlined dense aria-label="State"')
            name = ui.input(placeholder="Name contains").props(
                'outlined dense clearable debounce=300 aria-label="Name contains"'
            )

        async def filtered() -> None:
            self._wanted = {"state": state.value or "", "name": name.value or ""}
            await self.table.first()

        state.on_value_change(filtered)
        name.on_value_change(filtered)

    def _tasks(self) -> Paged:
        columns = [
            column("task", "Task"),
            column("name", "Name"),
            column("state", "State"),
            column("worker", "Worker", wide=True),
            column("attempt", "Attempt", number=True, wide=True),
            column("since", "For", number=True, wide=True),
        ]
        if self._view.may("tasks.cancel"):
            columns.append(column("actions", "", number=True))

        async def fetch(offset: int, limit: int, _order: str, _down: bool) -> tuple[int, list[Any]]:
            if self._is_over():
                return 0, []
            answer = await self._view.ask(
                "tasks.list",
                application=self._number,
                offset=offset,
                limit=limit,
                **self._wanted,
            )
            return answer["total"], [self._row(one) for one in answer["tasks"]]

        table = Paged(
            columns,
            fetch,
            "task",
            cells={"task": MONO, "state": PILL, "actions": ACTIONS},
            nothing=lambda: empty("done_all", "No task waits or runs", "All have their outcome."),
            size=10,
        )
        table.table.on("act", self._act)
        return table

    def _row(self, one: dict[str, Any]) -> dict[str, Any]:
        return {
            "task": one["task"],
            "about": one["task"],
            "called": f"task {one['task']}",
            "name": one["name"],
            "state": STATES.get(one["state"], one["state"]).lower(),
            "kind": STATE_KINDS.get(one["state"], "quiet"),
            "worker": one["worker"] or NONE,
            "attempt": one["attempt"],
            "since": span(one["seconds"]),
            "actions": []
            if one["state"] == "cancelling"
            else [{"verb": "tasks.cancel", "label": "Cancel", "danger": True}],
        }

    def _found(self) -> dict[str, Any] | None:
        look = self._view.observer.look
        for one in look.applications if look else ():
            if self._number in (str(one["application"]), one["name"]):
                return summed(one)
        return None

    def _is_over(self) -> bool:
        return self._found() is None

    async def renew(self) -> None:
        """Show how far it is."""
        one = self._found()
        if one is None:
            await self._renew_ended()
            return
        self._title.text = f"{one['name']} · {one['application']}"
        self._show_state(one["state"])
        percent = 100 * one["share"]
        self._progress.show(f"{percent:.0f} %", f"{count(one['done'])} of {count(one['total'])}")
        self._left.show(
            NONE if one["eta"] is None else span(one["eta"]), f"running for {age(one['age'])}"
        )
        self._rate.show(rate(one["rate"]), f"{count(one['running'])} at workers")
        self._waiting.show(count(one["waiting"]), f"of {count(one['submitted'])} pushed")
        self._finished.show(count(one["finished"]), f"{one['undelivered']:,} on their way back")
        cancelled = f"{count(one['cancelled'])} cancelled"
        self._failed.show(count(one["failed"]), cancelled, "bad" if one["failed"] else "")
        self._show_meter(percent)
        notes = [each["progress"] for each in (one, *one["systems"]) if each.get("progress")]
        self._message.text = notes[0]["message"] if notes else ""
        self._message.set_visibility(bool(self._message.text))

    async def _renew_ended(self) -> None:
        outcome = await self._view.ask("applications.outcome", application=self._number)
        self._title.text = f"{outcome['name']} · {outcome['application']}"
        self._show_state("ended")
        self._progress.show("Ended", outcome["reason"])
        self._left.show(NONE)
        self._rate.show(NONE)
        self._waiting.show("0")
        self._finished.show(count(outcome["finished"]))
        cancelled = f"{count(outcome['cancelled'])} cancelled"
        self._failed.show(count(outcome["failed"]), cancelled, "bad" if outcome["failed"] else "")
        self._show_meter(100)

    async def renew_output(self) -> None:
        """Show what it wrote since the last time."""
        answer = await self._view.ask(
            "applications.output", application=self._number, since=self._last, limit=LINES
        )
        self._last = answer["last"]
        if answer["lines"]:
            self._silent.set_visibility(False)
            self._output.set_visibility(True)
        for line in answer["lines"]:
            who = line["task"] or line["source"] or "system"
            self._output.push(f"{stamp(line['time'])}  {who:<10}  {line['text'].rstrip()}")

    def _show_state(self, state: str) -> None:
        self._state.text = state
        self._state.classes(replace=f"pill {STATE_KINDS.get(state, 'quiet')}")
        fitting = {"ended": (), "paused": ("resume", "cancel")}.get(state, ("pause", "cancel"))
        for name, button in self._tools.items():
            button.set_visibility(name in fitting)

    def _show_meter(self, percent: float) -> None:
        self._meter.content = (
            f'<div class="meter" role="progressbar" aria-label="Progress" '
            f'aria-valuenow="{percent:.0f}"><i style="width:{percent:.1f}%"></i></div>'
        )

    async def _cancel(self) -> None:
        if await confirmed(
            f"Cancel application {self._number}?",
            "Everything of it that has no outcome yet is cancelled. What runs is stopped.",
            "Cancel all",
        ):
            await self._view.act(
                f"Application {self._number} is cancelled",
                "applications.cancel",
                application=self._number,
            )

    async def _pause(self) -> None:
        await self._view.act("It is paused", "applications.pause", application=self._number)

    async def _resume(self) -> None:
        await self._view.act("It goes on", "applications.resume", application=self._number)

    async def _act(self, event: Any) -> None:
        task = event.args["about"]
        await self._view.act(f"Task {task} is cancelled", event.args["verb"], task=task)
