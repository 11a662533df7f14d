"""Who may come in over HTTP: the right host, no foreign page, and a token; an ASGI middleware."""

from __future__ import annotations

import time
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, RedirectResponse, Response

from concurrent_framework.security.tokens import covers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from concurrent_framework.api.method import ApiRole
    from concurrent_framework.security.tokens import TokenBook

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
OPEN_PATHS = frozenset({"/ping"})
"""What anybody on this machine may ask."""
COOKIE_DAYS = 30
ENTRY_DENIED = (
    "this needs a token: open the link that the node printed at its start, or send the header "
    "`Authorization: Bearer TOKEN`"
)


class Guard:
    """Lets requests through that come from this machine's user, with the role their token has.

    A browser that opens a link with ``?token=`` gets it as a cookie, so that it does not stay in
    the address. Requests that name another host (DNS rebinding) or come from another site's page
    are refused whatever they carry.

    Args:
        app: what is behind it; it finds the role in ``scope["state"]["role"]``.
        book: the tokens.
        port: on which it is served; cookies are shared by all ports of a host.
        hosts: names of this machine by which it may be called besides those of the loopback.

    """

    def __init__(
        self, app: ASGIApp, *, book: TokenBook, port: int, hosts: Iterable[str] = ()
    ) -> None:
        self._app = app
        self._book = book
        self._hosts = LOOPBACK | set(hosts)
        self.cookie = cookie_name(port)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that may not pass; hand on all others."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        objection = self._objection(scope, headers)
        if objection is not None:
            await _refuse(objection, scope, receive, send)
            return
        token, from_query = self._token(scope, headers)
        role = self._role_of(token)
        if role is None and scope["path"] not in OPEN_PATHS:
            await _refuse(_said(ENTRY_DENIED, 401), scope, receive, send)
            return
        scope.setdefault("state", {})["role"] = role
        if from_query and role and scope["type"] == "http":
            if scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
                response = RedirectResponse(_without_token(scope), 303)
                response.headers["set-cookie"] = self._set_cookie(token)
                await response(scope, receive, send)
                return
            send = self._adding_cookie(send, token)
        await self._app(scope, receive, send)

    def _objection(self, scope: Scope, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if _name_of(host) not in self._hosts:
            return _said(f"this node is not called {host!r}: use 127.0.0.1 or localhost", 421)
        origin = headers.get("origin")
        reads = scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}
        if origin and not reads and urlsplit(origin).netloc != host:
            return _said(f"requests from pages of {origin} are not accepted here", 403)
        return None

    def _token(self, scope: Scope, headers: Headers) -> tuple[str, bool]:
        """Return the token a request carries, and whether it stood in the address."""
        scheme, _, value = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and value.strip():
            return value.strip(), False
        for name, given in parse_qsl(scope.get("query_string", b"").decode("latin-1")):
            if name == "token":
                return given, True
        cookies: SimpleCookie = SimpleCookie()
        try:
            cookies.load(headers.get("cookie", ""))
        except CookieError:
            return "", False
        found = cookies.get(self.cookie)
        return (found.value if found else "", False)

    def _role_of(self, token: str) -> ApiRole | None:
        if not token:
            return None
        role = self._book.role_of(token, time.time())
        if role is None:
            return None
        if covers(role, "admin"):
            return "admin"
        return "observe" if covers(role, "observe") else None

    def _set_cookie(self, token: str) -> str:
        age = COOKIE_DAYS * 86400
        return f"{self.cookie}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}"

    def _adding_cookie(self, send: Send, token: str) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                cookie = (b"set-cookie", self._set_cookie(token).encode())
                message = {**message, "headers": [*message.get("headers", ()), cookie]}
            await send(message)

        return sending


def cookie_name(port: int) -> str:
    """Return the name of the cookie with the token: all ports of a host share their cookies."""
    return f"concurrent-{port}"


def _said(reason: str, status: int) -> Response:
    headers = {"www-authenticate": "Bearer"} if status == 401 else {}
    return JSONResponse({"error": reason}, status, headers)


async def _refuse(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await response(scope, receive, send)


def _name_of(host: str) -> str:
    """Return the name in a Host header, without port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def _without_token(scope: Scope) -> str:
    given: list[tuple[str, Any]] = parse_qsl(scope.get("query_string", b"").decode("latin-1"))
    rest = urlencode([(name, value) for name, value in given if name != "token"])
    path = "/" + scope["path"].lstrip("/")
    return f"{path}?{rest}" if rest else path
