"""A small synchronous client that asks a master questions and gives it orders."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from math import ceil
from typing import TYPE_CHECKING, Any, Self

from concurrent_framework.model.errors import (
    ConcurrentError,
    MasterNotFoundError,
    RefusedError,
)
from concurrent_framework.protocol.application import Answer, Query, ToApplication
from concurrent_framework.protocol.codec import PROTOCOL_VERSION, Codec, MalformedError
from concurrent_framework.protocol.session import Goodbye, Hello, Refused, Resync, Welcome

if TYPE_CHECKING:
    from types import TracebackType

    from concurrent_framework.application.connection import Connection
    from concurrent_framework.protocol.application import QueryKind
    from concurrent_framework.protocol.session import Role

LINGER = 1.0
"""Seconds a farewell may take to leave."""


class MasterClient:
    """Asks one master, one question at a time.

    Args:
        connection: where the master is, and the token that opens it.
        role: ``observe`` to look, ``admin`` or ``submit`` to cancel as well.
        timeout: seconds to wait for the master's welcome, and for each answer; > 0.

    Raises:
        MasterNotFoundError: on entering, if no master answers in time.
        RefusedError: on entering, if the master refuses the token, role, key or version.

    Example:
        ::

            with MasterClient(connection) as client:
                print(client.query("status")["workers"])

    """

    def __init__(
        self, connection: Connection, *, role: Role = "observe", timeout: float = 5.0
    ) -> None:
        self._connection = connection
        self._role = role
        self._timeout = timeout
        self._codec: Codec[Any] = Codec(ToApplication)
        self._transport = connection.open()
        self._sent = 0
        self._asked = 0
        self._open_question: Query | None = None
        self._trouble = ""
        self.lease = 0.0
        """Seconds of silence after which the master takes a node for lost."""

    def __enter__(self) -> Self:
        """Introduce ourselves and wait for the master's welcome."""
        try:
            self._greet()
            self.lease = self._await(Welcome).lease
        except BaseException:
            self._transport.close(0)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Say goodbye."""
        self._send(Goodbye())
        self._transport.close(LINGER)

    def query(self, kind: QueryKind, arguments: dict[str, Any] | None = None) -> Any:
        """Ask, and return the answer: a value of builtin types.

        Args:
            kind: what is asked; `protocol.application.QueryKind` lists the kinds.
            arguments: what the kind needs, such as ``{"application": "3"}``.

        Raises:
            ConcurrentError: the master has no answer; the message is its reason.
            MasterNotFoundError: no answer came in time.

        """
        self._asked += 1
        self._open_question = Query(self._asked, kind, arguments or {})
        self._send(self._open_question)
        answer = self._await(Answer)
        self._open_question = None
        if answer.error:
            raise ConcurrentError(answer.error)
        return answer.value

    def _greet(self) -> None:
        connection = self._connection
        self._sent = 0
        self._send(
            Hello(
                role=self._role,
                session=os.urandom(16).hex(),
                token=connection.token,
                name="concurrent",
                host=socket.gethostname(),
                pid=os.getpid(),
            )
        )

    def _send(self, message: Any) -> None:
        self._sent += 1
        self._transport.send(self._codec.encode([message], self._sent))

    def _await(self, wanted: type[Any]) -> Any:
        """Wait for a message of this type; for an answer, for the one to the open question."""
        import zmq

        poller = zmq.Poller()
        for pollable in self._transport.pollables():
            poller.register(pollable, zmq.POLLIN)
        end = time.monotonic() + self._timeout
        while True:
            for message in self._receive():
                if self._is_wanted(message, wanted):
                    return message
            remaining = end - time.monotonic()
            if remaining <= 0:
                where = f"no Concurrent master answered at {self._connection.endpoint}"
                raise MasterNotFoundError.after(self._timeout, self._trouble or where)
            poller.poll(ceil(remaining * 1000))

    def _is_wanted(self, message: Any, wanted: type[Any]) -> bool:
        if isinstance(message, Refused):
            reason = f"the master at {self._connection.endpoint} refused: {message.reason}"
            raise RefusedError(reason)
        if isinstance(message, Resync):
            self._greet()
            if self._open_question is not None:
                self._send(self._open_question)
            return False
        if isinstance(message, Goodbye):
            reason = f"the master at {self._connection.endpoint} is leaving: {message.reason}"
            raise MasterNotFoundError(reason)
        if isinstance(message, Answer):
            return wanted is Answer and message.id == self._asked
        return isinstance(message, wanted)

    def _receive(self) -> list[Any]:
        messages: list[Any] = []
        for frames in self._transport.receive(64):
            try:
                messages += self._codec.decode(frames)[1]
            except MalformedError as error:
                raise RefusedError(self._not_ours(error)) from None
        for problem in self._transport.problems():
            if problem.kind == "key":
                raise RefusedError(problem.text)
            self._trouble = problem.text
        return messages

    def _not_ours(self, error: MalformedError) -> str:
        where = self._connection.endpoint
        if error.version is not None and error.version != PROTOCOL_VERSION:
            return (
                f"the master at {where} speaks protocol version {error.version}, this is version "
                f"{PROTOCOL_VERSION}: install the same version of concurrent-framework on both"
            )
        return f"what answers at {where} is no Concurrent master: {error}"


def order(connection: Connection, kind: QueryKind, arguments: dict[str, Any]) -> Any:
    """Give an order with whichever role the connection's token allows.

    Raises:
        RefusedError: the token allows neither ``admin`` nor ``submit``.
        MasterNotFoundError: no master answers in time.

    """
    with suppress(RefusedError), MasterClient(connection, role="admin") as client:
        return client.query(kind, arguments)
    with MasterClient(connection, role="submit") as client:
        return client.query(kind, arguments)
