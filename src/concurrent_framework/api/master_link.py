"""The API's own connection to the master: many questions under way at a time, on an event loop."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import TYPE_CHECKING, Any, cast

from concurrent_framework.model.errors import ConcurrentError, MasterNotFoundError, RefusedError
from concurrent_framework.protocol.application import Answer, Query, ToApplication
from concurrent_framework.protocol.codec import Codec, MalformedError
from concurrent_framework.protocol.session import (
    Goodbye,
    Heartbeat,
    Hello,
    Refused,
    Resync,
    Welcome,
)

if TYPE_CHECKING:
    from concurrent_framework.application.connection import Connection
    from concurrent_framework.protocol.application import QueryKind
    from concurrent_framework.protocol.session import Role

PATIENCE = 5.0
"""Seconds to wait for an answer."""
CLOSING = "the API is closing"
LINGER = 0.2
"""Seconds that the farewell may take to leave."""


class MasterLink:
    """Asks a master as a peer with a role of its own; belongs to one event loop.

    It connects with the first question. When the master was away, it introduces itself again.

    Args:
        connection: where the master is.
        role: ``admin``, or ``observe`` if that is all the connection's token allows.
        patience: seconds to wait for each answer.

    """

    def __init__(
        self, connection: Connection, *, role: Role = "admin", patience: float = PATIENCE
    ) -> None:
        self._connection = connection
        self._role = role
        self._patience = patience
        self._codec: Codec[Any] = Codec(ToApplication)
        self._transport: Any = None
        self._sent = 0
        self._asked = 0
        self._open: dict[int, tuple[Query, asyncio.Future[Any]]] = {}
        self._refusal = ""
        self._away = ""
        self._closed = False

    async def ask(self, kind: str, arguments: dict[str, Any] | None = None) -> Any:
        """Ask the master and return its answer.

        Raises:
            ConcurrentError: the master has no answer; the message is its reason.
            RefusedError: the master does not let the API in.
            MasterNotFoundError: no answer came in time.

        """
        if self._closed:
            raise MasterNotFoundError(CLOSING)
        loop = asyncio.get_running_loop()
        if self._transport is None:
            self._connect(loop)
        self._asked += 1
        query = Query(self._asked, cast("QueryKind", kind), arguments or {})
        future: asyncio.Future[Any] = loop.create_future()
        self._open[query.id] = (query, future)
        try:
            self._send(query)
            return await asyncio.wait_for(future, self._patience)
        except TimeoutError:
            self._forget()
            reason = self._away or f"the master at {self._connection.endpoint} does not answer"
            raise MasterNotFoundError.after(self._patience, reason) from None
        finally:
            self._open.pop(query.id, None)

    def close(self) -> None:
        """Say goodbye; questions under way, and all that come later, are answered with an error."""
        self._closed = True
        if self._transport is not None:
            self._send(Goodbye())
        self._fail_all(MasterNotFoundError(CLOSING))
        self._forget(LINGER)

    def _connect(self, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = self._connection.open()
        loop.add_reader(self._transport.fileno(), self._readable)
        self._greet()

    def _forget(self, linger: float = 0.0) -> None:
        """Drop the connection; the next question makes another."""
        if self._transport is not None:
            asyncio.get_running_loop().remove_reader(self._transport.fileno())
            self._transport.close(linger)
            self._transport = None

    def _greet(self) -> None:
        self._sent = 0
        self._refusal = ""
        self._send(
            Hello(
                role=self._role,
                session=os.urandom(16).hex(),
                token=self._connection.token,
                name="api",
                host=socket.gethostname(),
                pid=os.getpid(),
            )
        )

    def _send(self, message: Any) -> None:
        self._sent += 1
        self._transport.send(self._codec.encode([message], self._sent))
        self._soon_if_pending()

    def _soon_if_pending(self) -> None:
        # ZeroMQ's descriptor tells of changes only: what has arrived before is asked for.
        if self._transport is not None and self._transport.pending():
            asyncio.get_running_loop().call_soon(self._readable)

    def _readable(self) -> None:
        if self._transport is None:
            return
        for frames in self._transport.receive(64):
            try:
                messages = self._codec.decode(frames)[1]
            except MalformedError as error:
                self._fail_all(RefusedError(f"what answers there is no master of ours: {error}"))
                self._forget()
                return
            for message in messages:
                self._take(message)
                if self._transport is None:
                    return
        for problem in self._transport.problems():
            self._away = problem.text
        self._soon_if_pending()

    def _take(self, message: Any) -> None:
        match message:
            case Answer():
                self._answered(message)
            case Resync():
                self._greet()
                for query, _ in self._open.values():
                    self._send(query)
            case Refused():
                self._fail_all(RefusedError(f"the master refused the API: {message.reason}"))
                self._forget()
            case Goodbye():
                reason = f"the master is leaving: {message.reason}"
                self._away = reason
                self._fail_all(MasterNotFoundError(reason))
                self._forget()
            case Welcome():
                self._away = ""
            case Heartbeat():
                pass

    def _answered(self, answer: Answer) -> None:
        _, future = self._open.get(answer.id, (None, None))
        if future is None or future.done():
            return
        if answer.error:
            future.set_exception(ConcurrentError(answer.error))
        else:
            future.set_result(answer.value)

    def _fail_all(self, error: ConcurrentError) -> None:
        for _, future in self._open.values():
            if not future.done():
                future.set_exception(error)
