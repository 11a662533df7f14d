"""An API without a node, for tests: a method table made of plain functions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from concurrent_framework.api.context import ApiContext
from concurrent_framework.api.method import (
    EVERY_NODE,
    ApiRole,
    Call,
    IApiMethods,
    MethodTable,
    api_method,
)
from concurrent_framework.api.rpc import Dispatcher
from concurrent_framework.components import Component, ComponentManager, implements
from concurrent_framework.config import Config
from concurrent_framework.model.errors import ConcurrentError, MasterNotFoundError, UsageError
from concurrent_framework.security.tokens import TokenBook


class Examples(Component):
    """Methods like those of the specification's examples."""

    implements(IApiMethods)
    name = "examples"

    @api_method("example.subtract", nodes=EVERY_NODE)
    async def subtract(self, call: Call, minuend: int, subtrahend: int) -> int:
        """Subtract.

        More about it.
        """
        return minuend - subtrahend

    @api_method("example.sum")
    async def sum(self, call: Call, a: int, b: int, c: int) -> int:
        """Add."""
        return a + b + c

    @api_method("example.data")
    async def data(self, call: Call) -> list[Any]:
        """Return something."""
        return ["hello", 5]

    @api_method("example.hello", role="admin")
    async def hello(self, call: Call, number: int) -> None:
        """Take something."""

    @api_method("example.fail")
    async def fail(self, call: Call, how: str) -> None:
        """Fail in one of several ways."""
        errors: dict[str, Exception] = {
            "usage": UsageError("there is no such thing"),
            "master": MasterNotFoundError("nobody there"),
            "impossible": ConcurrentError("it has ended"),
            "bug": KeyError("oops"),
        }
        raise errors[how]

    @api_method("example.strange")
    async def strange(self, call: Call) -> Any:
        """Return what JSON cannot say."""
        return {object(): 1}


class Noted:
    """A reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.bugs: list[str] = []

    def called(self, method: str, seconds: float) -> None:
        self.calls.append(method)

    def failed(self, method: str, error: Exception) -> None:
        self.bugs.append(f"{method}: {error!r}")


class Node:
    """A dispatcher over some components."""

    def __init__(self, *components: type[Component]) -> None:
        manager = ComponentManager(Config(), components)
        self.noted = Noted()
        clock: Iterator[float] = iter(range(10**6))
        table = MethodTable(["master"], manager.all(IApiMethods))
        self.dispatcher = Dispatcher(table, self.noted, lambda: next(clock))
        self.api = ApiContext("master", "m", manager, dict, dict, TokenBook(Path("/nowhere")))

    def call(self, role: ApiRole = "admin") -> Call:
        return Call(self.api, role)

    def answer(self, request: Any, role: ApiRole = "admin") -> Any:
        """Return the response to a request (text, or what becomes JSON); None if there is none."""
        body = request if isinstance(request, str) else json.dumps(request)
        found = asyncio.run(self.dispatcher.respond(body.encode(), self.call(role)))
        return None if found is None else json.loads(found)

    def result(self, method: str, params: Any = None, role: ApiRole = "admin") -> Any:
        """Return a method's result."""
        request = {"jsonrpc": "2.0", "method": method, "id": 1, "params": params or {}}
        answer = cast(dict[str, Any], self.answer(request, role))
        assert "error" not in answer, answer
        return answer["result"]
