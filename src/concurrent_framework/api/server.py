"""The HTTP server of a node, in a thread of its own that holds nothing of the node's state."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from concurrent_framework.api.options import TraceOptions

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task
    from types import TracebackType

    from concurrent_framework.api.context import ApiContext
    from concurrent_framework.api.master_link import MasterLink
    from concurrent_framework.api.method import NodeKind
    from concurrent_framework.launch.beside import NodeFacts

HOST = "127.0.0.1"
PATIENCE = 3.0
"""Seconds that the thread has to end."""
GRACE = 1
"""Seconds that requests under way have to end, as uvicorn counts them."""


class ApiServer:
    """Serves a node's API until it is closed.

    The socket is bound at once, so that the address is known; all else, imports included, happens
    in the thread.

    Args:
        api: the node, and what it can be asked.
        port: the port wanted; a free one is taken if that is not to be had.
        facts: the node from outside.

    Example:
        ::

            with ApiServer(api, 8080, facts) as server:
                print(server.url)
                node.app_main()

    """

    def __init__(self, api: ApiContext, port: int, facts: NodeFacts) -> None:
        self._api = api
        self._facts = facts
        self._socket = _bound(port)
        self.port: int = self._socket.getsockname()[1]
        api.url = self.url
        self._thread = threading.Thread(target=self._run, name="concurrent-api", daemon=True)
        self._loop: AbstractEventLoop | None = None
        self._server: Any = None
        self._link: MasterLink | None = None
        self._closing = threading.Event()

    @property
    def url(self) -> str:
        """Where it is, without a token."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Start the thread; requests are answered as soon as it has imported what it needs."""
        self._thread.start()

    def close(self) -> None:
        """End the thread: streams are ended, requests under way get a moment."""
        self._closing.set()
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(self._end)
        if self._thread.ident is not None:
            self._thread.join(PATIENCE)
        self._socket.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self) -> None:
        import asyncio

        try:
            asyncio.run(self._serve())
        except Exception:
            # Whatever it is, the node goes on: it works without anybody looking at it.
            self._facts.log.exception("the API has ended")

    def _end(self) -> None:
        if self._api.feed is not None:
            self._api.feed.close()
        if self._link is not None:
            # The master has ended: nobody would answer what is being asked.
            self._link.close()
        if self._server is not None:
            self._server.should_exit = True

    async def _serve(self) -> None:
        import asyncio

        import uvicorn

        from concurrent_framework.api.calls import Calls
        from concurrent_framework.api.feed import Feed
        from concurrent_framework.api.http import application
        from concurrent_framework.api.master_link import MasterLink
        from concurrent_framework.api.method import IApiMethods, MethodTable
        from concurrent_framework.api.pages import IWebPages
        from concurrent_framework.api.rpc import Dispatcher

        api, facts = self._api, self._facts
        self._loop = asyncio.get_running_loop()
        link = MasterLink(facts.connection) if facts.connection is not None else None
        if link is not None:
            api.master, api.feed, self._link = link, Feed(api), link
        kinds: list[NodeKind] = [api.kind] if link is None else [api.kind, "master"]
        api.methods = MethodTable(kinds, api.components.all(IApiMethods))
        dispatcher = Dispatcher(api.methods, Calls(facts.stats, facts.log), time.perf_counter)
        found = [one.pages(api, dispatcher) for one in api.components.all(IWebPages)]
        pages = [one for one in found if one is not None]
        config = uvicorn.Config(
            application(api, dispatcher, self.port, pages),
            log_config=None,
            log_level="warning",
            ws=_websocket,  # type: ignore[arg-type]  # uvicorn only calls it
            access_log=False,
            server_header=False,
            lifespan="on",
            timeout_graceful_shutdown=GRACE,
        )
        self._server = uvicorn.Server(config)
        tracing = self._tracing()
        if not self._closing.is_set():
            await self._server.serve(sockets=[self._socket])
        if tracing is not None:
            tracing.cancel()
        if link is not None:
            link.close()
        if api.launcher is not None:
            api.launcher.close()

    def _tracing(self) -> Task[None] | None:
        """Begin to trace the ways of tasks, if somebody wants that."""
        import asyncio

        if self._api.feed is None or not self._api.components.config.value(TraceOptions.enabled):
            return None
        from concurrent_framework.api.feed import Feed
        from concurrent_framework.api.tracing import trace

        return asyncio.create_task(trace(Feed(self._api, deliveries=True), self._facts.log))


def _websocket(*arguments: Any, **options: Any) -> Any:
    """Make the protocol of a WebSocket; what it needs is imported with the first one."""
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

    return WebSocketsSansIOProtocol(*arguments, **options)


def _bound(port: int) -> socket.socket:
    """Bind the port that is wanted, or a free one."""
    for wanted in (port, 0):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((HOST, wanted))
        except OSError:
            sock.close()
            if not wanted:
                raise
            continue
        # Whoever connects before the thread is ready waits in the queue.
        sock.listen(128)
        return sock
    raise AssertionError
