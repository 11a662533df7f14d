"""The dashboard before a thousand nodes and a million tasks: an API that only says so."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from concurrent_framework.api.context import ApiContext
from concurrent_framework.api.feed import Feed
from concurrent_framework.api.method import Call, IApiMethods, api_method
from concurrent_framework.api.methods.cluster import ClusterMethods
from concurrent_framework.api.server import ApiServer
from concurrent_framework.components import Component, ComponentManager, implements
from concurrent_framework.config import Config
from concurrent_framework.dashboard.component import Dashboard
from concurrent_framework.launch.beside import NodeFacts
from concurrent_framework.security.tokens import TokenBook
from concurrent_framework.stats import Registry
from tests.browser.window import Window

NODES = 1000
TASKS = 1_000_000


class Large(Component):
    """A cluster that needs no machines."""

    implements(IApiMethods)
    name = "large"

    @api_method("nodes.list")
    async def nodes(self, call: Call, offset: int = 0, limit: int = 1000) -> dict[str, Any]:
        """List them."""
        return {"total": NODES, "nodes": MASTER["workers"]()[offset : offset + limit]}

    @api_method("applications.list")
    async def applications(self, call: Call, ended: bool = False, limit: int = 1) -> dict[str, Any]:
        """List one."""
        return {"total": 1, "applications": [APPLICATION]}

    @api_method("applications.output")
    async def output(
        self, call: Call, application: str, since: int = 0, limit: int = 1
    ) -> dict[str, Any]:
        """Nothing."""
        return {"last": 0, "lines": []}

    @api_method("failures.list")
    async def failures(
        self, call: Call, application: str = "", offset: int = 0, limit: int = 1
    ) -> dict[str, Any]:
        """Nothing."""
        return {"total": 0, "failures": []}

    @api_method("tasks.list")
    async def tasks(
        self,
        call: Call,
        application: str = "",
        state: str = "",
        name: str = "",
        offset: int = 0,
        limit: int = 100,
    ) -> dict[str, Any]:
        """List a page."""
        page = [
            {
                "task": f"1/{number}",
                "name": "wait",
                "state": "waiting",
                "worker": "",
                "attempt": 0,
                "seconds": 1.0,
            }
            for number in range(offset + 1, min(TASKS, offset + limit) + 1)
        ]
        return {"total": TASKS, "tasks": page}


COUNTS = {"waiting": TASKS, "assigned": 0, "finishing": 0, "finished": 0}
APPLICATION: dict[str, Any] = {
    "application": 1,
    "name": "Large",
    "state": "running",
    "age": 1.0,
    "submitted": TASKS,
    **COUNTS,
    "failed": 0,
    "cancelled": 0,
    "undelivered": 0,
    "progress": None,
    "systems": [],
}


def workers() -> list[dict[str, Any]]:
    return [
        {
            "worker": f"node-{number:04}",
            "host": "h",
            "pid": 1000 + number,
            "version": "0",
            "executors": 8,
            "memory": 2**35,
            "tasks": number % 9,
            "finished": number,
            "silent": 0.1,
        }
        for number in range(NODES)
    ]


MASTER: dict[str, Callable[[], Any]] = {
    "workers": workers,
    "status": lambda: {
        "master": "large",
        "version": "0",
        "uptime": 1.0,
        "pattern": "push",
        "workers": NODES,
        "executors": 8 * NODES,
        "occupied": 4.0 * NODES,
        "tasks": {**COUNTS, "failed": 0, "cancelled": 0},
        "failures": 0,
        "outcomes": 0,
    },
    "events": lambda: {"session": "s" * 8, "last": 0, "events": []},
}


class Asked:
    """Answers as a master does."""

    async def ask(self, kind: str, arguments: dict[str, Any] | None = None) -> Any:
        return MASTER[kind]()


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("large")
    folder.chmod(0o700)
    manager = ComponentManager(Config(), [Large, ClusterMethods, Dashboard])
    book = TokenBook(folder / "tokens.json")
    token = book.create("admin", note="test")
    api = ApiContext("master", "large", manager, dict, dict, book, Asked())
    api.feed = Feed(api)
    log = logging.getLogger("large")
    facts = NodeFacts("master", "large", manager, folder, Registry(), dict, log)
    with ApiServer(api, 0, facts) as server:
        yield f"{server.url}/?token={token}"


def test_a_thousand_nodes_and_a_million_tasks_are_quick(window: Window, link: str) -> None:
    window.open(link)
    window.says("[data-tile=nodes] .value", "1,000")
    assert window.page.locator(".cells i").count() == NODES
    root = link.partition("/?")[0] + "/dashboard"
    window.open(f"{root}/nodes")
    window.says(".q-table__bottom", "1\N{EN DASH}20 of 1,000")
    began = time.monotonic()
    window.page.get_by_label("Search nodes").fill("node-0999")
    window.says("tbody tr", "node-0999")
    window.open(f"{root}/applications/1")
    window.says(".q-table__bottom", "1\N{EN DASH}10 of 1,000,000")
    window.page.get_by_label("Last page").click()
    window.says("tbody tr", "1/1000000")
    assert window.page.locator("tbody tr").count() == 10
    assert time.monotonic() - began < 10
