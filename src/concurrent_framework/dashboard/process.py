"""The process of a dashboard: answers what its node's HTTP server hands on, and ends with it."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from concurrent_framework.dashboard.wire import Ended, Open, Said, Start, Wire, arrived

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def main() -> None:
    """Serve until the socket, whose descriptor is the only argument, is closed."""
    asyncio.run(_serve(socket.socket(fileno=int(sys.argv[1]))))


async def _serve(sock: socket.socket) -> None:
    reader, writer = await asyncio.open_connection(sock=sock)
    wire = Wire(reader, writer)
    start = await wire.receive()
    if not isinstance(start, Start):
        return
    # NiceGUI keeps nothing for us; without this it would look for it in the working directory.
    os.environ["NICEGUI_STORAGE_PATH"] = os.devnull
    from concurrent_framework.dashboard.site import site

    app = site(start)
    async with app.router.lifespan_context(app):
        await Streams(wire, app).run()


class Streams:
    """Calls an ASGI application for each stream of a wire.

    Args:
        wire: where requests come from.
        app: answers them.

    """

    def __init__(self, wire: Wire, app: ASGIApp) -> None:
        self._wire = wire
        self._app = app
        self._open: dict[int, asyncio.Queue[dict[str, Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._log = logging.getLogger(__name__)

    async def run(self) -> None:
        """Serve until the other end has gone."""
        while (message := await self._wire.receive()) is not None:
            if isinstance(message, Open):
                self._open[message.stream] = asyncio.Queue()
                task = asyncio.create_task(self._serve(message.stream, arrived(message.scope)))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            elif isinstance(message, Said) and message.stream in self._open:
                self._open[message.stream].put_nowait(message.message)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, stream: int, scope: dict[str, Any]) -> None:
        async def send(message: Any) -> None:
            await self._wire.send(Said(stream, dict(message)))

        failed = True
        try:
            await self._app(scope, self._open[stream].get, send)
            failed = False
        except Exception:  # noqa: BLE001 (a page may raise anything; the others go on)
            self._log.exception("the dashboard failed to answer %s", scope["path"])
        finally:
            del self._open[stream]
            with suppress(ConnectionError):
                await self._wire.send(Ended(stream, failed))


if __name__ == "__main__":
    main()
