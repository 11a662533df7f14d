"""Tasks that failed: where, how, and what is known of the death."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nicegui import ui

from concurrent_framework.cli.amounts import count, size, span
from concurrent_framework.dashboard.frame import stamp
from concurrent_framework.dashboard.widgets import card, empty, head, tool

if TYPE_CHECKING:
    from concurrent_framework.dashboard.view import View

BYTES = frozenset({"peak_memory", "memory"})


async def build(view: View) -> None:
    """Build the page."""
    with head("Failures"):
        ui.label("Also of applications that have ended").classes("muted small")
    with card(flush=True):
        found = Failures(view)
    view.on_look(found.renew)


class Failures:
    """A list of failures, by the page.

    Args:
        view: the visitor's.
        application: only those of this one; empty for all.
        size: how many are on a page.

    """

    def __init__(self, view: View, application: str = "", size: int = 20) -> None:
        self._view = view
        self._application = application
        self._size = size
        self._page = 1
        self._shown: list[str] | None = None
        self._unfolded: set[str] = set()
        self._folds: dict[str, _Fold] = {}
        self._list = ui.element("div").classes("folds")
        with ui.element("div").classes("titlebar pager"):
            self._count = ui.label().classes("muted small")
            ui.element("span").classes("spring")
            self._pager = ui.pagination(1, 1, value=1, on_change=self._turned).props(
                "flat dense max-pages=6"
            )

    async def renew(self) -> None:
        """Get the present page again; the list stands still while somebody reads one of them."""
        answer = await self._asked()
        found = {one["task"]: one for one in answer["failures"]}
        keys = list(found)
        pages = max(1, -(-answer["total"] // self._size))
        held = bool(self._unfolded) and keys != self._shown
        newer = held and not found.keys() <= self._folds.keys()
        waits = "; newer ones are listed when all are folded" if newer else ""
        self._count.text = f"{count(answer['total'])} failures{waits}" if answer["total"] else ""
        self._pager.max = pages
        self._pager.set_visibility(pages > 1)
        if keys != self._shown and not held:
            self._shown = keys
            self._show(answer["failures"])
        for task in self._folds.keys() & found.keys():
            self._folds[task].show(found[task])

    async def _asked(self) -> Any:
        offset = (self._page - 1) * self._size
        return await self._view.ask(
            "failures.list", application=self._application, offset=offset, limit=self._size
        )

    async def _turned(self, event: Any) -> None:
        self._page = int(event.value)
        self._unfolded.clear()
        await self.renew()

    def _show(self, found: list[dict[str, Any]]) -> None:
        self._list.clear()
        self._folds.clear()
        with self._list:
            if not found:
                empty(
                    "verified",
                    "Nothing has failed",
                    "A task that fails appears here with its traceback.",
                )
            for one in found:
                self._folds[one["task"]] = _Fold(self._view, one, self._unfolded)


class _Fold:
    """One failure, that can be unfolded.

    Args:
        view: the visitor's.
        failure: what the API tells of it.
        unfolded: tasks whose failures are unfolded, kept up to date.

    """

    def __init__(self, view: View, failure: dict[str, Any], unfolded: set[str]) -> None:
        self._view = view
        self._failure = failure
        self._unfolded = unfolded
        self._offer: ui.element | None = None
        self._fold = ui.expansion().classes("fold").props(f'data-task="{failure["task"]}"')
        with self._fold.add_slot("header"), ui.element("div").classes("what"):
            ui.label(f"{failure['type'] or failure['kind']}: {failure['message']}").classes(
                "strong"
            )
            self._under = ui.label(_under(failure)).classes("muted small")
        with self._fold:
            self._inside = ui.element("div").classes("inside")
        self._fold.on_value_change(self._turned)

    def show(self, failure: dict[str, Any]) -> None:
        """Show what the API tells of it now."""
        before, self._failure = self._failure, failure
        if before != failure:
            self._under.text = _under(failure)
            self._show_offer()

    def _turned(self) -> None:
        task = self._failure["task"]
        (self._unfolded.add if self._fold.value else self._unfolded.discard)(task)
        if self._fold.value and self._offer is None:
            with self._inside:
                _details(self._failure)
                self._offer = ui.element("div")
            with self._offer:
                tool("Retry", "replay", self._retry)
            self._show_offer()

    def _show_offer(self) -> None:
        if self._offer is not None:
            may = self._failure["retriable"] and self._view.may("tasks.retry")
            self._offer.set_visibility(may)

    async def _retry(self) -> None:
        task = self._failure["task"]
        if await self._view.act(f"Task {task} is attempted again", "tasks.retry", task=task):
            # It may have succeeded since, and is not listed any more then: nothing is to be retried.
            self.show({**self._failure, "retriable": False})


def _details(failure: dict[str, Any]) -> None:
    if failure["traceback"]:
        ui.label("Traceback, as it was on the worker").classes("title")
        with ui.element("pre").classes("block").props('tabindex="0" aria-label="Traceback"'):
            ui.label(failure["traceback"].rstrip())
    ui.label("Death certificate").classes("title")
    with ui.element("dl").classes("facts"):
        for name, value in failure["certificate"].items():
            if value in (None, "", [], ()) or (name == "signal" and not value):
                continue
            with ui.element("dt"):
                ui.label(name.replace("_", " "))
            with ui.element("dd").classes("mono"):
                for line in _lines_of(name, value):
                    ui.label(line)


def _under(one: dict[str, Any]) -> str:
    """Return what stands below the message of a failure: what failed, where, and when."""
    worker = one["certificate"].get("worker")
    parts = [
        f"{one['name']} {one['task']}",
        f"{one['application_name']} · {one['application']}",
        f"on {worker}" if worker else "",
        f"at {stamp(one['ended'])}" if one["ended"] else "",
        f"attempted again as {one['retried_as']}" if one["retried_as"] else "",
    ]
    return ", ".join(part for part in parts if part)


def _lines_of(name: str, value: Any) -> list[str]:
    """Return how a value of a death certificate reads."""
    if name == "attempts":
        return [_attempt(one) for one in value]
    if isinstance(value, list):
        return [str(one) for one in value]
    if isinstance(value, str):
        return value.splitlines()
    return [_amount(name, value)]


def _attempt(one: dict[str, Any]) -> str:
    took = (
        f"{stamp(one['started'])} to {stamp(one['ended'])}, {span(one['ended'] - one['started'])}"
    )
    return f"{one['number']} on {one['worker'] or 'no worker'}, {took}: {one['end']}"


def _amount(name: str, value: Any) -> str:
    if name in BYTES and isinstance(value, int | float):
        return size(value)
    return span(value) if name.endswith("seconds") and isinstance(value, float) else str(value)
