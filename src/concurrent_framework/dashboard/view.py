"""What a page gets: the cluster as it was last seen, and a way to ask and to act."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from nicegui import ui

from concurrent_framework.model.errors import ConcurrentError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from concurrent_framework.api.method import ApiRole
    from concurrent_framework.dashboard.observer import Observer


class View:
    """One visitor's view of one page.

    Args:
        observer: looks at the node with the visitor's token.
        role: what that token allows.
        root: the address under which the dashboard is.
        parameters: those in the page's path and in the address's query.

    """

    def __init__(
        self, observer: Observer, role: ApiRole, root: str, parameters: Mapping[str, str]
    ) -> None:
        self.observer = observer
        self.role = role
        self.parameters = parameters
        self._root = root
        self._callbacks: list[Callable[[], Awaitable[None] | None]] = []
        self._closing: list[Callable[[], None]] = []
        self._seen = -1

    def link(self, path: str) -> str:
        """Return the address of a page, for templates; `ui.link` takes the path itself."""
        return f"{self._root}{path}"

    def has(self, method: str) -> bool:
        """Whether the node has this API method."""
        return method in self.observer.methods

    def may(self, method: str) -> bool:
        """Whether the visitor can act by this method: the node has it, and his token allows it."""
        return self.role == "admin" and self.has(method)

    async def ask(self, method: str, /, **params: Any) -> Any:
        """Call an API method.

        Raises:
            ConcurrentError: it has no result; the message says why.

        """
        return await self.observer.ask(method, **params)

    async def act(self, said: str, method: str, /, **params: Any) -> bool:
        """Call an API method that changes something, and tell the visitor what came of it.

        Args:
            said: what to tell if it works.
            method: its name.
            params: its parameters.

        Returns:
            Whether it worked.

        """
        try:
            await self.ask(method, **params)
        except ConcurrentError as error:
            ui.notify(str(error), type="negative", multi_line=True, position="bottom")
            return False
        ui.notify(said, position="bottom")
        await self.observer.refresh()
        await self.tick()
        return True

    def on_look(self, callback: Callable[[], Awaitable[None] | None]) -> None:
        """Call a function now that the page is there, and after each new look at the node.

        What it asks for while the master is away may fail: it is called again when that is back.
        """
        self._callbacks.append(callback)

    def on_close(self, callback: Callable[[], None]) -> None:
        """Call a function when the visitor has left the page."""
        self._closing.append(callback)

    async def tick(self) -> None:
        """Renew the page if something has changed; called by the frame, often."""
        if self._seen == self.observer.version:
            return
        self._seen = self.observer.version
        if self.observer.away:
            return
        for callback in self._callbacks:
            try:
                found = callback()
                if inspect.isawaitable(found):
                    await found
            except ConcurrentError as error:
                # The observer tells of a master that is away; anything else is worth a word here.
                if not self.observer.away:
                    ui.notify(str(error), type="negative", multi_line=True, position="bottom")

    def close(self) -> None:
        """End the page."""
        for callback in self._closing:
            callback()
