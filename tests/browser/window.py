"""A browser's page that keeps what it complains about and where it asks for things."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Request

PATIENCE = 20_000
"""Milliseconds."""
LOOK = 30
"""Milliseconds between two looks at what is waited for."""


class Window:
    """A page of a browser.

    Args:
        context: the browser.

    """

    def __init__(self, context: BrowserContext) -> None:
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self._context = context
        self._context.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _asked(self, request: Request) -> None:
        split = urlsplit(request.url)
        if split.scheme in {"http", "https", "ws", "wss"}:
            self.hosts.add(split.netloc)

    def close(self) -> None:
        """Close it; the browser stays."""
        self._context.remove_listener("request", self._asked)
        self.page.close()

    def forget(self) -> None:
        """Forget what was kept."""
        self.complaints.clear()
        self.hosts.clear()

    def says(self, selector: str, text: str) -> None:
        """Wait until what a selector finds contains a text."""
        self.page.locator(selector).filter(has_text=text).first.wait_for()

    def text(self, selector: str) -> str:
        """Return the text of what a selector finds."""
        return self.page.locator(selector).first.inner_text()

    def skip(self, seconds: float) -> None:
        """Have the page that is open believe that it is later than it is."""
        self.page.evaluate(f"const now = Date.now; Date.now = () => now() + {1000 * seconds}")

    def open(self, url: str) -> None:
        """Go to an address, and wait until the page lives."""
        self.page.goto(url)
        self.until("document.querySelector('#beat')?.dataset.beat > 0")

    def until(self, expression: str) -> None:
        """Wait until an expression is true; looking at each frame would have frames made for it."""
        self.page.wait_for_function(expression, polling=LOOK)
