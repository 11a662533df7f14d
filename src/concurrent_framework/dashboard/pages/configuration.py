"""Options with where their values come from, and the components that make up the node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nicegui import ui

from concurrent_framework.dashboard.widgets import (
    MONO,
    NONE,
    PILL,
    PROSE,
    STATE_KINDS,
    Paged,
    card,
    column,
    empty,
    head,
    page_of,
    prose,
)

if TYPE_CHECKING:
    from concurrent_framework.dashboard.view import View

OPTIONS = [
    column("option", "Option", sort=True),
    column("value", "Value"),
    column("source", "From", wide=True, sort=True),
    column("default", "Default", wide=True),
    column("doc", "What it is for", wide=True, prose=True),
]
SET = (
    "<q-td :props=\"props\"><span :class=\"props.row.chosen ? 'mono strong accent' : 'mono'\">"
    "{{ props.value }}</span></q-td>"
)
"""A value, which stands out if somebody has chosen it."""
PLUGINS = [
    column("name", "Component", sort=True),
    column("state", "State", sort=True),
    column("interfaces", "Implements", wide=True, sort=True),
    column("origin", "From", wide=True, sort=True),
    column("reason", "Why", wide=True, prose=True),
]


async def build(view: View) -> None:
    """Build the page."""
    wanted = {"text": ""}
    options = await view.ask("configuration.get")
    plugins = await view.ask("plugins.list")

    def matching(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        text = wanted["text"].lower()
        return [one for one in rows if text in " ".join(map(str, one.values())).lower()]

    async def fetch_options(
        offset: int, limit: int, order: str, down: bool
    ) -> tuple[int, list[Any]]:
        return page_of(matching([_option(one) for one in options]), offset, limit, order, down=down)

    async def fetch_plugins(
        offset: int, limit: int, order: str, down: bool
    ) -> tuple[int, list[Any]]:
        return page_of(matching([_plugin(one) for one in plugins]), offset, limit, order, down=down)

    with head("Configuration"):
        search = ui.input(placeholder="Option or component").props(
            'outlined dense clearable aria-label="Search options and components"'
        )
    with card("Options", flush=True):
        first = Paged(
            OPTIONS,
            fetch_options,
            "option",
            cells={"option": MONO, "value": SET, "default": MONO, "doc": PROSE},
            nothing=lambda: empty("tune", "No such option"),
        )
    with card("Components and plug-ins", flush=True):
        second = Paged(
            PLUGINS if any(one["reason"] for one in plugins) else PLUGINS[:-1],
            fetch_plugins,
            "name",
            cells={"name": MONO, "state": PILL},
            nothing=lambda: empty("extension", "No such component"),
        )

    async def filtered() -> None:
        wanted["text"] = search.value or ""
        await first.first()
        await second.first()

    search.on_value_change(filtered)
    await first.renew()
    await second.renew()


def _option(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "option": one["option"],
        "value": _shown(one.get("value")),
        "source": one.get("source") or "default",
        "default": _shown(one.get("default")),
        "doc": prose(one.get("doc", "")),
        "chosen": one.get("source") not in (None, "default"),
    }


def _plugin(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": one["name"],
        "state": one["state"],
        "kind": STATE_KINDS.get(one["state"], "quiet"),
        "interfaces": ", ".join(one["interfaces"]),
        "origin": one["origin"],
        "reason": one["reason"],
    }


def _shown(value: Any) -> str:
    if value is None:
        return NONE
    return str(value).lower() if isinstance(value, bool) else str(value)
