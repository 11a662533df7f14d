"""Other components serve pages beside the API, behind the same guard."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from concurrent_framework.api.access import read_access
from concurrent_framework.api.context import ApiContext
from concurrent_framework.api.method import Call, IApiMethods
from concurrent_framework.api.pages import IWebPages, Pages
from concurrent_framework.api.rpc import Dispatcher
from concurrent_framework.api.serving import always_beside
from concurrent_framework.components import Component, ComponentManager, implements
from concurrent_framework.config import Config
from concurrent_framework.launch.beside import NodeFacts
from concurrent_framework.launch.builtin import BUILTIN
from concurrent_framework.stats import Registry
from tests.api.calls import Examples
from tests.api.reach import Reach


class Wall(Component):
    """Shows a number that it gets from the API."""

    implements(IWebPages)
    name = "wall"

    def __init__(self) -> None:
        self.told: list[str] = []

    def pages(self, api: ApiContext, dispatcher: Dispatcher) -> Pages | None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            call = Call(api, scope["state"]["role"])
            number = await dispatcher.call("example.subtract", call, [9, 2])
            head = {"type": "http.response.start", "status": 200, "headers": []}
            await send(head)
            body = f"{scope['path']} {number} {call.role}".encode()
            await send({"type": "http.response.body", "body": body})

        @asynccontextmanager
        async def lifespan() -> AsyncIterator[None]:
            self.told.append("opened")
            yield
            self.told.append("closed")

        return Pages("/wall", app, lifespan())


class Served:
    """A node that is nothing but its API."""

    def __init__(self, directory: Path) -> None:
        config = Config.load(None, {}, ["api.port=0"])
        self.components = ComponentManager(config, [*BUILTIN, Examples, Wall])
        self.stats = Registry()
        self.facts = NodeFacts(
            "worker",
            "w",
            self.components,
            directory,
            self.stats,
            lambda: {"busy": True},
            logging.getLogger("tests.api"),
        )


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Served, Reach]]:
    tmp_path.chmod(0o700)
    served = Served(tmp_path)
    with always_beside(served.facts) as told:
        access = read_access(tmp_path)
        assert access is not None
        assert access.link in told
        yield served, Reach(access.url, access.token)


def test_pages_are_served_with_the_callers_role(served: tuple[Served, Reach]) -> None:
    _, reach = served
    examples = [one.name for one in served[0].components.all(IApiMethods)]  # type: ignore[attr-defined]
    assert "examples" in examples
    answer = reach.get("/wall/page")
    assert (answer.status, answer.body) == (200, b"/wall/page 7 admin")


def test_pages_are_behind_the_guard(served: tuple[Served, Reach]) -> None:
    _, reach = served
    assert reach.get("/wall/", token=False).status == 401
    assert reach.get("/wall/", {"Host": "evil.example"}).status == 421
    answer = reach.get("/", {"Accept": "text/html"})
    assert (answer.status, answer.headers["location"]) == (307, "/dashboard/")


def test_a_socket_of_a_foreign_page_is_refused(served: tuple[Served, Reach]) -> None:
    _, reach = served
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version": "13",
    }
    assert reach.get("/wall/", {**upgrade, "Origin": "http://evil.example"}).status != 101


def test_a_node_without_a_master_says_so(served: tuple[Served, Reach]) -> None:
    _, reach = served
    assert reach.get("/status").json == {"kind": "worker", "name": "w", "busy": True}
    assert b"no events" in reach.get("/events").body


def test_their_lifespan_is_that_of_the_server(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    served = Served(tmp_path)
    with always_beside(served.facts):
        access = read_access(tmp_path)
        assert access is not None
        Reach(access.url, access.token).get("/ping")
        assert served.components[Wall].told == ["opened"]
    assert served.components[Wall].told == ["opened", "closed"]
