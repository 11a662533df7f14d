"""Hands requests for the dashboard to its process, which is started when the first one comes."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from concurrent_framework.dashboard.wire import Ended, Open, Said, Start, Wire, travelling

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Message, Receive, Scope, Send

IDLE = 120.0
"""Seconds after which a dashboard at which nobody looks is ended."""
FAREWELL = 2.0
"""Seconds that its process has to end."""
_GONE = "the dashboard's process has ended; load the page again to start another\n"


class _Process:
    """The process and the streams that are open with it.

    Args:
        start: what it is told first.

    """

    def __init__(self, start: Start) -> None:
        self._start = start
        self._streams: dict[int, asyncio.Queue[Said | Ended]] = {}
        self._opened = 0
        self.ended = False

    @property
    def is_used(self) -> bool:
        return bool(self._streams)

    async def run(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._child = subprocess.Popen(  # noqa: ASYNC220 (it returns once the program has begun)
                [
                    sys.executable,
                    "-m",
                    "concurrent_framework.dashboard.process",
                    str(theirs.fileno()),
                ],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        reader, writer = await asyncio.open_connection(sock=ours)
        self._wire = Wire(reader, writer)
        await self._wire.send(self._start)
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        while (message := await self._wire.receive()) is not None:
            if isinstance(message, Said | Ended) and message.stream in self._streams:
                self._streams[message.stream].put_nowait(message)
        self.ended = True
        for stream, queue in self._streams.items():
            queue.put_nowait(Ended(stream, failed=True))

    async def close(self) -> None:
        """End it: it goes when its socket does."""
        self._wire.close()
        await self._listening
        try:
            await asyncio.to_thread(self._child.wait, FAREWELL)
        except subprocess.TimeoutExpired:
            self._child.kill()
            await asyncio.to_thread(self._child.wait)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or keep one WebSocket until it ends."""
        self._opened += 1
        stream = self._opened
        queue = self._streams[stream] = asyncio.Queue()
        try:
            with suppress(ConnectionError):  # it has gone: the queue tells
                await self._wire.send(Open(stream, travelling(scope)))
            listening = asyncio.create_task(self._forward(stream, receive))
            try:
                await self._relay(scope, queue, send, listening)
            finally:
                listening.cancel()
        finally:
            del self._streams[stream]

    async def _forward(self, stream: int, receive: Receive) -> None:
        with suppress(ConnectionError):
            while True:
                message = await receive()
                await self._wire.send(Said(stream, dict(message)))
                if message["type"].endswith(".disconnect"):
                    return

    async def _relay(
        self,
        scope: Scope,
        queue: asyncio.Queue[Said | Ended],
        send: Send,
        listening: asyncio.Task[None],
    ) -> None:
        last = ""
        while True:
            said = await queue.get()
            if isinstance(said, Ended):
                if said.failed and not listening.done():
                    await _apologise(scope, send, last)
                return
            last = said.message["type"]
            if listening.done():
                continue  # the browser has gone, and what was on its way to it with it
            await send(_outgoing(said.message))


class Bridge:
    """The ASGI application that stands for the dashboard.

    It imports nothing of it: pages are made in a process of their own, so that nobody who looks
    takes time from the node.

    Args:
        start: what that process has to know.
        idle: seconds after which it is ended when nobody looks.

    """

    def __init__(self, start: Start, idle: float = IDLE) -> None:
        self._start = start
        self._idle = idle
        self._process: _Process | None = None
        self._starting = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on a request or a WebSocket."""
        process = await self._running()
        try:
            await process.serve(scope, receive, send)
        finally:
            self._rest_later()

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """End the process at the end of the block, if there is one."""
        try:
            yield
        finally:
            if self._timer is not None:
                self._timer.cancel()
            if self._process is not None:
                await self._process.close()

    async def _running(self) -> _Process:
        async with self._starting:
            if self._process is not None and self._process.ended:
                await self._process.close()
                self._process = None
            if self._process is None:
                process = _Process(self._start)
                await process.run()
                self._process = process
            return self._process

    def _rest_later(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._idle, self._rest)

    def _rest(self) -> None:
        process = self._process
        if process is not None and not process.is_used:
            self._process = None
            task = asyncio.create_task(process.close())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)


def _outgoing(message: dict[str, Any]) -> Message:
    """Return an ASGI message as the server expects it: pairs are tuples."""
    if "headers" in message:
        message["headers"] = [tuple(one) for one in message["headers"]]
    return message


async def _apologise(scope: Scope, send: Send, last: str) -> None:
    """Tell the browser that nothing more comes, if the last message has not told it."""
    if scope["type"] == "websocket" and last != "websocket.close":
        # 1012 is "service restart": whoever is there connects again.
        await send({"type": "websocket.close", "code": 1012})
    elif scope["type"] == "http" and not last:
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": _GONE.encode()})
