"""The API explorer, made from the node's own OpenRPC document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nicegui import ui

from concurrent_framework.dashboard.widgets import card, confirmed, head, pill, prose, tool
from concurrent_framework.model.errors import ConcurrentError

if TYPE_CHECKING:
    from concurrent_framework.dashboard.view import View

MOST = 60_000
"""Characters of a result that are shown."""


def build(view: View) -> None:
    """Build the page."""
    _Explorer(view)


class _Explorer:
    def __init__(self, view: View) -> None:
        self._view = view
        self._buttons: dict[str, ui.element] = {}
        methods = view.observer.document["methods"]
        with head("API"):
            ui.label("JSON-RPC 2.0 at POST /api/1").classes("muted small mono")
        with ui.element("div").classes("explorer"):
            with card(flush=True), ui.element("div").classes("list"):
                group = ""
                for method in methods:
                    noun = method["name"].partition(".")[0]
                    if noun != group:
                        group = noun
                        ui.label(noun).classes("group")
                    self._add(method)
            with ui.element("div").classes("page-column"):
                self._detail = ui.element("div")
        self._choose(next((one for one in methods if one["name"] == "cluster.status"), methods[0]))

    def _add(self, method: dict[str, Any]) -> None:
        button = ui.element("button").props(f'type="button" data-method="{method["name"]}"')
        with button:
            ui.label(method["name"]).classes("mono")
        button.on("click", lambda: self._choose(method))
        self._buttons[method["name"]] = button

    def _choose(self, method: dict[str, Any]) -> None:
        for name, button in self._buttons.items():
            pressed = "true" if name == method["name"] else "false"
            button.props(f'aria-pressed="{pressed}"')
        self._detail.clear()
        with self._detail, card():
            with ui.element("div").classes("titlebar"):
                ui.label(method["name"]).classes("mono strong")
                pill(method["x-role"], "warn" if method["x-role"] == "admin" else "quiet")
            ui.html(prose(method["summary"]), sanitize=False)
            if method.get("description"):
                ui.html(prose(method["description"]), sanitize=False).classes("muted")
            fields = {one["name"]: _field(one) for one in method["params"]}
            if not fields:
                ui.label("It has no parameters.").classes("muted small")
            result = ui.code("", language="json").classes("result")
            result.set_visibility(False)
            with ui.element("div"):
                button = tool("Call", "play_arrow", lambda: self._call(method, fields, result))
                if method["x-role"] == "admin" and self._view.role != "admin":
                    button.disable()
                    ui.label("Your token may only look.").classes("muted small")
            result.move(target_index=-1)
            ui.label("The same with curl").classes("title")
            ui.code(_curl(self._view, method), language="bash")

    async def _call(self, method: dict[str, Any], fields: dict[str, Any], result: ui.code) -> None:
        name = method["name"]
        try:
            params = _params(method, fields)
        except ValueError as error:
            ui.notify(str(error), type="negative")
            return
        if method["x-role"] == "admin" and not await confirmed(
            f"Call {name}?", "It changes something.", "Call"
        ):
            return
        try:
            found = await self._view.ask(name, **params)
            text = json.dumps(found, indent=2, ensure_ascii=False)
        except ConcurrentError as error:
            text = json.dumps({"error": str(error)}, indent=2, ensure_ascii=False)
        more = f"\n… {len(text) - MOST:,} more characters" if len(text) > MOST else ""
        result.content = text[:MOST] + more
        result.set_visibility(True)


def _field(one: dict[str, Any]) -> ui.input | ui.select:
    schema = one["schema"]
    label = one["name"] + ("" if one["required"] else " (optional)")
    field: ui.input | ui.select
    if schema.get("type") == "boolean":
        field = ui.select(["", "true", "false"], label=label, value="")
    elif all(isinstance(value, str) for value in schema.get("enum", [0])):
        field = ui.select(sorted({"", *schema["enum"]}), label=label, value="")
    else:
        field = ui.input(label)
    field.props("outlined dense stack-label").classes("wide-field")
    default = schema.get("default")
    hints = [one.get("description", "")]
    if default not in (None, "", [], {}):
        hints.append(f"Default: {json.dumps(default)}.")
    hint = " ".join(part for part in hints if part)
    field.props["hint"] = hint.replace("`", "")
    return field


def _params(method: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters that were filled in: JSON where it is, text otherwise."""
    found: dict[str, Any] = {}
    for one in method["params"]:
        text = (fields[one["name"]].value or "").strip()
        if not text:
            if one["required"]:
                message = f"{method['name']} needs {one['name']}"
                raise ValueError(message)
            continue
        if one["schema"].get("type") == "string":
            found[one["name"]] = text
            continue
        try:
            found[one["name"]] = json.loads(text)
        except ValueError:
            found[one["name"]] = text
    return found


def _curl(view: View, method: dict[str, Any]) -> str:
    required = {one["name"]: "…" for one in method["params"] if one["required"]}
    request = {"jsonrpc": "2.0", "id": 1, "method": method["name"], "params": required}
    return (
        f"curl {view.observer.client.url}/api/1 -H 'Authorization: Bearer TOKEN' \\\n"
        f"  --json '{json.dumps(request, ensure_ascii=False)}'"
    )
