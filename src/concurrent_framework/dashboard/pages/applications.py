"""All applications: how far they are, and when they will be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nicegui import ui

from concurrent_framework.cli.amounts import age, count, rate, span
from concurrent_framework.dashboard.widgets import (
    COUNTED,
    LINKED,
    METER,
    NONE,
    PILL,
    STATE_KINDS,
    Paged,
    card,
    column,
    empty,
    head,
    page_of,
)

if TYPE_CHECKING:
    from concurrent_framework.dashboard.view import View

COLUMNS = [
    column("name", "Application", sort=True),
    column("state", "State", wide=True, sort=True),
    column("share", "Progress", sort=True),
    column("eta", "Left", number=True),
    column("rate", "Rate", number=True, wide=True, sort=True),
    column("waiting", "Waiting", number=True, wide=True, sort=True),
    column("running", "Running", number=True, wide=True, sort=True),
    column("finished", "Finished", number=True, wide=True, sort=True),
    column("failed", "Failed", number=True, wide=True, sort=True),
    column("age", "Age", number=True, wide=True, sort=True),
]


async def build(view: View) -> None:
    """Build the page."""
    wanted = {"text": "", "ended": False}

    async def fetch(offset: int, limit: int, order: str, down: bool) -> tuple[int, list[Any]]:
        look = view.observer.look
        found = [summed(one) for one in look.applications] if look else []
        if wanted["ended"]:
            there = {one["application"] for one in found}
            answer = await view.ask("applications.list", ended=True, limit=1000)
            ended = [one for one in answer["applications"] if one["application"] not in there]
            found += [
                summed({**one, **_at_its_end(one), "systems": [], "rate": 0.0, "eta": None})
                for one in reversed(ended)
            ]
        found = [one for one in found if str(wanted["text"]).lower() in one["name"].lower()]
        total, page = page_of(found, offset, limit, order, down=down)
        return total, [_row(view, one) for one in page]

    with head("Applications"):
        ended = ui.switch("Ended too").props("dense color=primary")
        search = ui.input(placeholder="Name").props(
            'outlined dense clearable aria-label="Search applications"'
        )
    with card(flush=True):
        table = Paged(
            COLUMNS,
            fetch,
            "application",
            cells={"name": LINKED, "share": METER, "state": PILL, "failed": COUNTED},
            nothing=lambda: empty(
                "apps",
                "No application to show",
                "Start one on this cluster:",
                "concurrent run hello.py --join auto",
            ),
        )

    async def filtered() -> None:
        wanted["text"], wanted["ended"] = search.value or "", ended.value
        await table.first()

    search.on_value_change(filtered)
    ended.on_value_change(filtered)
    view.on_look(table.renew)


def summed(one: dict[str, Any]) -> dict[str, Any]:
    """Return an application with the tasks of its systems counted as its own."""
    family = [one, *one.get("systems", ())]

    def total(key: str) -> int:
        return sum(each.get(key, 0) for each in family)

    paused = one.get("paused") and one["state"] == "running"
    return {
        **one,
        "state": "paused" if paused else one["state"],
        "share": one["done"] / one["total"] if one["total"] else 0.0,
        "waiting": total("waiting"),
        "running": total("assigned"),
        "finished": total("finished"),
        "failed": total("failed"),
        "cancelled": total("cancelled"),
        "submitted": total("submitted"),
        "age": one.get("age", 0.0),
    }


def _at_its_end(one: dict[str, Any]) -> dict[str, int]:
    done = one["finished"] + one["failed"]
    return {"done": done, "total": done + one["cancelled"]}


def _row(view: View, one: dict[str, Any]) -> dict[str, Any]:
    percent = round(100 * one["share"])
    return {
        "application": one["application"],
        "name": f"{one['name']} · {one['application']}",
        "href": view.link(f"/applications/{one['application']}"),
        "state": one["state"],
        "kind": STATE_KINDS.get(one["state"], "quiet"),
        "share": f"{percent} %" if one["total"] else NONE,
        "percent": percent,
        "eta": NONE if one["eta"] is None else span(one["eta"]),
        "rate": rate(one["rate"]),
        "waiting": count(one["waiting"]),
        "running": count(one["running"]),
        "finished": count(one["finished"]),
        "failed": count(one["failed"]),
        "alarm": one["failed"] > 0,
        "age": age(one["age"]),
    }
