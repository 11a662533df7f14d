"""The dashboard's pages as one web application."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from nicegui import app, ui

from concurrent_framework.api.client import Client
from concurrent_framework.components import ComponentManager
from concurrent_framework.config import Config
from concurrent_framework.dashboard.frame import Frame
from concurrent_framework.dashboard.observer import Observer
from concurrent_framework.dashboard.page import IDashboardPage
from concurrent_framework.dashboard.view import View
from concurrent_framework.launch.builtin import BUILTIN
from concurrent_framework.launch.components import report_on_stderr

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from concurrent_framework.dashboard.wire import Start

ASSETS = Path(__file__).parent / "assets"
PATIENCE = 30.0
"""Seconds that a page may take to be built."""
RECONNECT = 30.0
"""Seconds for which a page is kept whose browser has lost the connection."""


def site(start: Start) -> FastAPI:
    """Make the application.

    Args:
        start: whose dashboard it is.

    """
    components = ComponentManager(Config.from_json(start.config), BUILTIN, report=report_on_stderr)
    components.discover(Path(start.plugins) if start.plugins else None)
    pages = sorted(components.all(IDashboardPage), key=_order_of)
    visits = _Visits(start, pages)
    app.add_static_files("/assets", str(ASSETS))
    for page in pages:
        title = f"{page.title} · Concurrent"
        ui.page(page.path, title=title, response_timeout=PATIENCE)(visits.handler(page))
    host = FastAPI(openapi_url=None)
    ui.run_with(
        host,
        title="Concurrent",
        favicon=ASSETS / "icon.svg",
        dark=None,
        tailwind=False,
        mount_path=start.path,
        reconnect_timeout=RECONNECT,
        show_welcome_message=False,
    )
    return host


class _Visits:
    """Shows pages to visitors; those with the same token share an observer."""

    def __init__(self, start: Start, pages: list[IDashboardPage]) -> None:
        self._start = start
        self._pages = pages
        self._observers: dict[str, Observer] = {}

    def handler(self, page: IDashboardPage) -> Callable[[Request], Awaitable[None]]:
        """Return what NiceGUI calls for a visit of a page; it looks at the signature."""

        async def show(request: Request) -> None:
            await self._show(page, request)

        return show

    async def _show(self, page: IDashboardPage, request: Request) -> None:
        observer = self._observer_for(self._token_of(request))
        if not observer.version:
            await observer.refresh()
        parameters = {**request.query_params, **request.path_params}
        role = request.scope["state"]["role"]
        view = View(observer, role, self._start.path, parameters)
        frame = Frame(view, page, self._pages, request.cookies.get("concurrent-look", ""))
        observer.begin()
        client = ui.context.client
        client.on_delete(observer.end)
        client.on_delete(view.close)
        with frame.content:
            await page.build(view)
        await view.tick()

    def _observer_for(self, token: str) -> Observer:
        if token not in self._observers:
            self._observers[token] = Observer(Client(self._start.url, token))
        return self._observers[token]

    def _token_of(self, request: Request) -> str:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return value.strip()
        cookies: SimpleCookie = SimpleCookie()
        try:
            cookies.load(request.headers.get("cookie", ""))
        except CookieError:
            return ""
        found = cookies.get(self._start.cookie)
        return found.value if found else request.query_params.get("token", "")


def _order_of(page: Any) -> tuple[int, str]:
    return page.order, page.title
