"""What all pages have around them: the bar, the navigation, and a word when the master is away."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from nicegui import ui

from concurrent_framework.cli.amounts import span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.dashboard.page import IDashboardPage
    from concurrent_framework.dashboard.view import View

BEAT = 1.0
"""Seconds between two questions whether there is something new to show: as often as the observer looks."""
LOOKS = {"": "brightness_auto", "light": "light_mode", "dark": "dark_mode"}
"""Icons of the looks a visitor can choose; the empty one follows the system."""


class Frame:
    """Builds the frame of a page.

    Args:
        view: the visitor's.
        page: the page that is shown.
        pages: all there are.
        look: which look the visitor has chosen.

    Attributes:
        content: where the page puts its elements.

    """

    def __init__(
        self, view: View, page: IDashboardPage, pages: Sequence[IDashboardPage], look: str
    ) -> None:
        self._view = view
        self._look = look if look in LOOKS else ""
        assets = view.link("/assets")
        ui.add_head_html(
            f'<link rel="stylesheet" href="{assets}/dashboard.css">'
            f'<script defer src="{assets}/dashboard.js"></script>'
        )
        self._dark = ui.dark_mode({"": None, "light": False, "dark": True}[self._look])
        self._bar(assets)
        self._navigation(page, pages)
        self._banners()
        self.content = ui.element("main").classes("page").props('id="content" tabindex="-1"')
        with self.content:
            self._beat = ui.element("span").props('id="beat" data-beat="0" hidden')
        self._beats = 0
        ui.timer(BEAT, self._tick)

    def _bar(self, assets: str) -> None:
        with ui.header().classes("bar"):
            ui.link("Skip to the content", "#content").classes("skip")
            menu = ui.button(icon="menu", on_click=lambda: self._drawer.run_method("toggle"))
            menu.props('flat round dense color=none aria-label="Navigation"')
            with ui.link(target="/").classes("brand"):
                ui.html(f'<img src="{assets}/icon.svg" alt="">', sanitize=False)
                ui.label("Concurrent")
            self._where = ui.label().classes("where small").mark("where")
            ui.element("span").classes("spring")
            self._state = ui.label().classes("pill quiet").props('role="status"').mark("state")
            self._switch = ui.button(on_click=self._next_look)
            self._switch.props("flat round dense color=none")
            self._show_look()

    def _navigation(self, page: IDashboardPage, pages: Sequence[IDashboardPage]) -> None:
        self._drawer = _drawer()
        with (
            self._drawer,
            ui.element("nav").props('aria-label="Pages"'),
        ):
            for one in pages:
                if not one.listed or (one.needs and not self._view.has(one.needs)):
                    continue
                here = page.path == one.path or page.path.startswith(f"{one.path}/")
                with ui.link(target=one.path) as link:
                    ui.icon(one.icon).props('aria-hidden="true"')
                    ui.label(one.title)
                    if one.path == "/failures":
                        self._failed = ui.label().classes("count")
                        self._failed.props('title="Kept, also of applications that have ended"')
                if here:
                    link.props('aria-current="page"')

    def _banners(self) -> None:
        with ui.element("div").classes("away lost").props('role="alert"'):
            ui.element("span").classes("beat")
            with ui.element("div"):
                ui.label("This node does not answer")
                ui.label(
                    "It has ended, or the connection to it is lost. The page goes on by itself "
                    "as soon as it is back."
                ).classes("small gone")
                ui.label(
                    "It is back with new tokens: open the link that it printed at its start."
                ).classes("small strange")
        self._away = ui.element("div").classes("away master").props('role="alert"')
        with self._away:
            ui.element("span").classes("beat")
            with ui.element("div"):
                ui.label("The master is away")
                self._reason = ui.label().classes("small")

    async def _tick(self) -> None:
        self._beats += 1
        self._beat.props(f'data-beat="{self._beats}"')
        observer = self._view.observer
        self._away.classes(add="is-on") if observer.away else self._away.classes(remove="is-on")
        self._reason.text = observer.away
        if observer.away:
            self._show_state("away", "bad")
        elif observer.look is not None:
            status = observer.look.status
            self._where.text = (
                f"{status['master']} · up {span(status['uptime'])} · version {status['version']}"
            )
            failed = status["failures"]
            if hasattr(self, "_failed"):
                self._failed.text = f"{failed:,}" if failed else ""
            busy = status["tasks"]["assigned"]
            if not status["workers"]:
                self._show_state("no workers", "warn")
            else:
                self._show_state("busy" if busy else "idle", "good" if busy else "quiet")
        elif observer.node:
            self._where.text = f"{observer.node['kind']} {observer.node['name']}"
            self._show_state("up", "good")
        await self._view.tick()

    def _show_state(self, text: str, kind: str) -> None:
        self._state.text = text
        self._state.classes(replace=f"pill {kind}")

    def _next_look(self) -> None:
        names = list(LOOKS)
        self._look = names[(names.index(self._look) + 1) % len(names)]
        self._dark.value = {"": None, "light": False, "dark": True}[self._look]
        ui.run_javascript(f"chooseLook({self._look!r})")
        self._show_look()

    def _show_look(self) -> None:
        name = self._look or "as the system"
        self._switch.props(f'icon={LOOKS[self._look]} aria-label="Look: {name}"')


def _drawer() -> ui.element:
    """Make the navigation's drawer, open where there is room; NiceGUI's own asks each browser."""
    layout = ui.context.client.layout
    view = list(layout.props["view"])
    view[4] = "L"  # it stays where it is when the page scrolls
    layout.props["view"] = "".join(view)
    with layout:
        drawer = ui.element("q-drawer").classes("rail")
    drawer.props("show-if-above side=left width=220 breakpoint=1023")
    drawer.move(target_index=layout.default_slot.children.index(ui.context.client.page_container))
    return drawer


def stamp(seconds: float) -> str:
    """Return a moment as the time of day on this machine."""
    return time.strftime("%H:%M:%S", time.localtime(seconds))
