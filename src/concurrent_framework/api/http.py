"""The HTTP routes of a node: JSON-RPC, live events, and the few addresses scripts like to poll."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from concurrent_framework.api.guard import Guard
from concurrent_framework.api.method import Call
from concurrent_framework.api.rpc import FORBIDDEN, NO_MASTER, RpcError
from concurrent_framework.model.errors import ConcurrentError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from starlette.requests import Request

    from concurrent_framework.api.context import ApiContext
    from concurrent_framework.api.pages import Pages
    from concurrent_framework.api.rpc import Dispatcher

MAX_BODY = 8 * 1024 * 1024
API_PATH = "/api/1"
_STATUS = {NO_MASTER: 503, FORBIDDEN: 403}


class Wanted(NamedTuple):
    """Which events a stream has, and where it ends.

    Args:
        kinds: what their kinds begin with; empty for all.
        application: the number of the application they are about; empty for any.
        until: the kind of the last one; empty for none.

    """

    kinds: tuple[str, ...]
    application: str
    until: str

    def fits(self, event: Mapping[str, Any]) -> bool:
        """Whether an event is wanted."""
        if self.kinds and not event["kind"].startswith(self.kinds):
            return False
        return not self.application or str(event.get("application")) == self.application


class _Routes:
    """What answers each address."""

    def __init__(self, api: ApiContext, dispatcher: Dispatcher, home: str) -> None:
        self._api = api
        self._dispatcher = dispatcher
        self._home = home

    async def rpc(self, request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in {"application/json", "application/json-rpc"}:
            reason = "send the request with `Content-Type: application/json`"
            return JSONResponse({"error": reason}, 415)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                reason = f"a request has {MAX_BODY} bytes at most"
                return JSONResponse({"error": reason}, 413)
        answer = await self._dispatcher.respond(bytes(body), self._call(request))
        if answer is None:
            return Response(status_code=204)
        return Response(answer, media_type="application/json")

    async def ping(self, _request: Request) -> Response:
        return JSONResponse({"answer": "pong"})

    async def status(self, request: Request) -> Response:
        name = "node.status" if self._api.master is None else "cluster.status"
        return await self._result(request, name)

    async def stats(self, request: Request) -> Response:
        return await self._result(request, "statistics.get")

    async def metrics(self, _request: Request) -> Response:
        from concurrent_framework.api.prometheus import CONTENT_TYPE, exposition

        return Response(
            exposition(self._api.statistics(), self._api.kind, self._api.name),
            headers={"content-type": CONTENT_TYPE},
        )

    async def events(self, request: Request) -> Response:
        asked = request.query_params
        after = request.headers.get("last-event-id") or asked.get("after", "")
        wanted = Wanted(
            tuple(one for one in asked.get("kinds", "").split(",") if one),
            asked.get("application", ""),
            asked.get("until", ""),
        )
        return StreamingResponse(
            self._stream(after, wanted),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    async def home(self, _request: Request) -> Response:
        if self._home:
            return RedirectResponse(self._home)
        names = ["/ping", "/status", "/stats", "/metrics", "/events", f"POST {API_PATH}"]
        return JSONResponse({"node": self._api.name, "kind": self._api.kind, "addresses": names})

    async def _stream(self, after: str, wanted: Wanted) -> AsyncIterator[bytes]:
        feed = self._api.feed
        if feed is None:
            yield b": this node has no events\n\n"
            return
        try:
            async for event in feed.follow(after):
                if event is None:
                    yield b": live events; an id can be given as Last-Event-ID to go on there\n\n"
                elif wanted.fits(event):
                    yield _as_event(event)
                    if event["kind"] == wanted.until:
                        return
        except ConcurrentError as error:
            yield b"event: master.away\ndata: " + msgspec.json.encode(str(error)) + b"\n\n"

    async def _result(self, request: Request, method: str) -> Response:
        try:
            found = await self._dispatcher.call(method, self._call(request))
        except RpcError as error:
            return JSONResponse({"error": error.message}, _STATUS.get(error.code, 500))
        return Response(msgspec.json.encode(found), media_type="application/json")

    def _call(self, request: Request) -> Call:
        return Call(self._api, request.state.role)


def _as_event(event: dict[str, Any]) -> bytes:
    head = f"id: {event['id']}\nevent: {event['kind']}\ndata: ".encode()
    return head + msgspec.json.encode(event) + b"\n\n"


def application(
    api: ApiContext, dispatcher: Dispatcher, port: int, pages: Sequence[Pages] = ()
) -> Starlette:
    """Make the ASGI application of a node.

    Args:
        api: the node.
        dispatcher: answers JSON-RPC.
        port: where it is served.
        pages: what else is served, such as a dashboard.

    """
    routes = _Routes(api, dispatcher, f"{pages[0].path}/" if pages else "")

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for one in pages:
                if one.lifespan is not None:
                    await stack.enter_async_context(one.lifespan)
            yield

    return Starlette(
        routes=[
            Route(API_PATH, routes.rpc, methods=["POST"]),
            Route("/ping", routes.ping),
            Route("/status", routes.status),
            Route("/stats", routes.stats),
            Route("/metrics", routes.metrics),
            Route("/events", routes.events),
            Route("/", routes.home),
            *(Mount(one.path, app=one.app) for one in pages),
        ],
        middleware=[
            Middleware(Guard, book=api.book, port=port),
            Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5),
        ],
        lifespan=lifespan,
    )
