"""Looks at the node through its API for all pages of one visitor, as long as one is open."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from concurrent_framework.api.client import ApiError, Client
from concurrent_framework.cli.watching import Look, Watch
from concurrent_framework.dashboard.history import RUNS, History
from concurrent_framework.model.errors import ConcurrentError

INTERVAL = 1.0
INTERVAL_LARGE = 3.0
"""Seconds between two looks at a cluster of more than `LARGE` nodes: each asks for all of them."""
LARGE = 200
MOST = 10_000
EVENTS = 1000
MOST_PAGES = 10
"""So many times `EVENTS` are taken at one look, more than a master keeps; the next one goes on."""
KEPT_EVENTS = 300


class Observer:
    """What is known of a node, renewed while somebody looks.

    Args:
        client: calls the API with the visitor's token.

    Attributes:
        look: the last answers with rates; None before the first, or if the node has no master.
        away: why there is no answer at present, empty if there is.
        version: counts up whenever something has changed.
        methods: names of the node's API methods; empty until it has answered.
        document: the node's OpenRPC document.
        history: what was seen before.
        events: the last events other than runs, the oldest first.

    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self.look: Look | None = None
        self.away = ""
        self.version = 0
        self.methods: frozenset[str] = frozenset()
        self.document: dict[str, Any] = {}
        self.node: dict[str, Any] = {}
        self.history = History()
        self.events: list[dict[str, Any]] = []
        self._watch = Watch()
        self._last = ""
        self._from_before = False
        self._visitors = 0
        self._streams = 0
        self._looking: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Note that a page was opened."""
        self._visitors += 1
        if self._looking is None:
            self._looking = asyncio.create_task(self._look_on())

    def end(self) -> None:
        """Note that a page was closed."""
        self._visitors -= 1
        if not self._visitors and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def begin_stream(self) -> None:
        """Note that a page wants to know what ran, also of late."""
        self._from_before = self._from_before or not self._streams
        self._streams += 1

    def end_stream(self) -> None:
        """Note that it does not any more."""
        self._streams -= 1

    async def ask(self, method: str, **params: Any) -> Any:
        """Call an API method.

        Raises:
            ConcurrentError: it has no result; the message says why.

        """
        return await asyncio.to_thread(self.client.call, method, **params)

    async def refresh(self) -> None:
        """Look once; whatever keeps the node from answering is told by `away`."""
        try:
            await self._take()
        except ConcurrentError as error:
            self.away = str(error)
        else:
            self.away = ""
        self.version += 1

    async def _look_on(self) -> None:
        while True:
            await self.refresh()
            large = self.look is not None and len(self.look.nodes) > LARGE
            await asyncio.sleep(INTERVAL_LARGE if large else INTERVAL)

    async def _take(self) -> None:
        if not self.methods:
            self.document = await self.ask("rpc.discover")
            self.methods = frozenset(one["name"] for one in self.document["methods"])
            self.node = await self.ask("node.status")
        if "cluster.status" not in self.methods:
            self.node = await self.ask("node.status")
            return
        status, nodes, applications, events = await self._ask_all(
            ("cluster.status", {}),
            ("nodes.list", {"limit": MOST}),
            ("applications.list", {"limit": MOST}),
            ("events.list", self._wanted()),
        )
        is_first = self.look is None
        self.look = self._watch.take(
            time.monotonic(), status, nodes["nodes"], applications["applications"]
        )
        if not is_first:  # rates need two looks
            self.history.take(time.time(), self.look)
        await self._take_events(events)

    async def _ask_all(self, *calls: tuple[str, dict[str, Any]]) -> list[Any]:
        answers = await asyncio.to_thread(self.client.batch, list(calls))
        for answer in answers:
            if isinstance(answer, ApiError):
                raise answer
        return answers

    async def _take_events(self, page: dict[str, Any]) -> None:
        """Take in events, and go on until there are no more."""
        for _ in range(MOST_PAGES):
            self._take_page(page)
            if len(page["events"]) < EVENTS:
                return
            page = await self.ask("events.list", **self._wanted())

    def _wanted(self) -> dict[str, Any]:
        """Return which events to ask for; a new stream begins with all runs that there is room for."""
        limit = EVENTS
        if self._from_before:
            self._from_before = False
            self._last, limit = "", RUNS
            self.history.runs.clear()
        return {"after": self._last, "limit": limit, "runs": self._streams > 0}

    def _take_page(self, page: dict[str, Any]) -> None:
        found = page["events"]
        self.history.take_runs(found)
        known = self.events[-1]["id"] if self.events else ""
        fresh = [one for one in found if one["kind"] != "tasks.ran"]
        ids = [one["id"] for one in fresh]
        fresh = fresh[ids.index(known) + 1 :] if known in ids else fresh
        self.events = [*self.events, *fresh][-KEPT_EVENTS:]
        self._last = page["last"]
