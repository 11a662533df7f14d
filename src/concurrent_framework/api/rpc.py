"""JSON-RPC 2.0: from the bytes of a request to the bytes of its response."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from concurrent_framework.model.errors import (
    ConcurrentError,
    MasterNotFoundError,
    RefusedError,
    UsageError,
)
from concurrent_framework.security.tokens import covers

if TYPE_CHECKING:
    from collections.abc import Callable

    from concurrent_framework.api.method import ApiMethod, Call, MethodTable

VERSION = "2.0"
MAX_BATCH = 100
"""Requests in one batch."""

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
IMPOSSIBLE = -32000
"""The node was asked for something it cannot do; the message says why."""
NO_MASTER = -32001
"""The master does not answer at present."""
FORBIDDEN = -32003
"""The caller's token does not allow this."""

MEANINGS = {
    PARSE_ERROR: "the request is no JSON",
    INVALID_REQUEST: "the request is no JSON-RPC 2.0 request",
    METHOD_NOT_FOUND: "there is no such method",
    INVALID_PARAMS: "a parameter is missing, unknown, or of a wrong type",
    INTERNAL_ERROR: "the method failed; the node's log says how",
    IMPOSSIBLE: "the node cannot do that; the message says why",
    NO_MASTER: "the master does not answer at present",
    FORBIDDEN: "the token does not allow this",
}


class RpcError(Exception):
    """What a response tells instead of a result.

    Args:
        code: one of those in `MEANINGS`.
        message: for people.

    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Reporter(Protocol):
    """Is told of calls: for statistics and the log."""

    def called(self, method: str, seconds: float) -> None:
        """Note a call that was answered, with a result or an error."""

    def failed(self, method: str, error: Exception) -> None:
        """Note a bug: a method raised something it should not."""


class Dispatcher:
    """Answers requests with the methods of a node.

    Args:
        table: the methods.
        reporter: is told of calls.
        clock: seconds, for how long calls take.

    """

    def __init__(self, table: MethodTable, reporter: Reporter, clock: Callable[[], float]) -> None:
        self.table = table
        self._reporter = reporter
        self._clock = clock

    async def respond(self, body: bytes, call: Call) -> bytes | None:
        """Return the response to a request or a batch; None if it needs none.

        Args:
            body: the request as it came.
            call: on whose behalf.

        """
        try:
            request = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _encoded(_failure(None, PARSE_ERROR, f"the request is no JSON: {error}"))
        if not isinstance(request, list):
            answer = await self._answer(request, call)
            return None if answer is None else _encoded(answer)
        if not request:
            return _encoded(_failure(None, INVALID_REQUEST, "the batch is empty"))
        if len(request) > MAX_BATCH:
            reason = f"a batch has {MAX_BATCH} requests at most, not {len(request)}"
            return _encoded(_failure(None, INVALID_REQUEST, reason))
        found = await asyncio.gather(*(self._answer(one, call) for one in request))
        answers = [one for one in found if one is not None]
        return _encoded(answers) if answers else None

    async def call(self, name: str, call: Call, params: Any = None) -> Any:
        """Call a method, as a request would.

        Raises:
            RpcError: there is no result.

        """
        method = self.table.get(name)
        if method is None:
            raise RpcError(METHOD_NOT_FOUND, f"there is no method {name!r}: see rpc.discover")
        if not covers(call.role, method.role):
            reason = f"{name} needs a token with the role {method.role!r}, not {call.role!r}"
            raise RpcError(FORBIDDEN, reason)
        start = self._clock()
        try:
            return await self._perform(method, call, {} if params is None else params)
        finally:
            self._reporter.called(name, self._clock() - start)

    async def _perform(self, method: ApiMethod, call: Call, params: Any) -> Any:
        try:
            arguments = method.bind(params)
        except (ValueError, msgspec.ValidationError) as error:
            raise RpcError(INVALID_PARAMS, _told(error)) from None
        try:
            return msgspec.to_builtins(await method.function(call, **arguments))
        except RpcError:
            raise
        except UsageError as error:
            raise RpcError(INVALID_PARAMS, str(error)) from None
        except MasterNotFoundError as error:
            raise RpcError(NO_MASTER, str(error)) from None
        except RefusedError as error:
            raise RpcError(FORBIDDEN, str(error)) from None
        except ConcurrentError as error:
            raise RpcError(IMPOSSIBLE, str(error)) from None
        except Exception as error:
            self._reporter.failed(method.name, error)
            reason = f"{method.name} failed with {type(error).__name__}; the node's log says more"
            raise RpcError(INTERNAL_ERROR, reason) from error

    async def _answer(self, request: Any, call: Call) -> dict[str, Any] | None:
        problem = _problem_of(request)
        if problem:
            known = request.get("id") if isinstance(request, dict) else None
            number = known if _is_id(known) else None
            return _failure(number, INVALID_REQUEST, problem)
        wants_answer, number = "id" in request, request.get("id")
        try:
            result = await self.call(request["method"], call, request.get("params"))
        except RpcError as error:
            return _failure(number, error.code, error.message) if wants_answer else None
        return {"jsonrpc": VERSION, "result": result, "id": number} if wants_answer else None


def _problem_of(request: Any) -> str:
    """Return what is wrong with the form of a request; empty if nothing is."""
    if not isinstance(request, dict):
        return "a request is a JSON object"
    if request.get("jsonrpc") != VERSION:
        return 'a request says "jsonrpc": "2.0"'
    if not isinstance(request.get("method"), str):
        return "a request names its method by a string"
    if not isinstance(request.get("params", {}), dict | list):
        return "params is an object or an array"
    if not _is_id(request.get("id")):
        return "an id is a string or a number"
    return ""


def _is_id(value: Any) -> bool:
    return value is None or (isinstance(value, str | int | float) and not isinstance(value, bool))


def _failure(number: Any, code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": VERSION, "error": {"code": code, "message": message}, "id": number}


def _told(error: Exception) -> str:
    """Return what is wrong with parameters, as a sentence about them and not about our types."""
    text = str(error).replace("Object ", "the parameters ").replace("`$.", "`")
    return text[:1].lower() + text[1:]


def _encoded(answer: Any) -> bytes:
    return msgspec.json.encode(answer)
