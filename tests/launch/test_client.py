from __future__ import annotations

import os
from select import select
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from concurrent_framework.application.connection import Connection
from concurrent_framework.launch.client import MasterClient, order
from concurrent_framework.model.errors import (
    ConcurrentError,
    MasterNotFoundError,
    RefusedError,
)
from concurrent_framework.protocol.application import Answer, FromApplication, Query
from concurrent_framework.protocol.codec import PROTOCOL_VERSION, Codec
from concurrent_framework.protocol.session import Goodbye, Hello, Refused, Resync, Welcome
from concurrent_framework.transport.base import LinkProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WELCOME = Welcome(master="m", name="lab", number=0, lease=10.0)


class ScriptedMaster:
    """Stands for the connection to a master that answers at once, and records what it is told."""

    def __init__(self, reply: Callable[[Any], Sequence[Any]]) -> None:
        self.heard: list[Any] = []
        self.trouble: list[LinkProblem] = []
        self.closed = False
        self.raw: list[list[Any]] = []
        self._reply = reply
        self._codec: Codec[Any] = Codec(FromApplication)
        self._sent = 0
        self._read, self._write = os.pipe()

    def pollables(self) -> list[Any]:
        return [self._read]

    def receive(self, limit: int) -> list[list[Any]]:
        taken, self.raw = self.raw, []
        if select([self._read], [], [], 0)[0]:
            os.read(self._read, 4096)
        return taken

    def send(self, frames: Sequence[Any]) -> bool:
        for message in self._codec.decode(list(frames))[1]:
            self.heard.append(message)
            for answer in self._reply(message):
                self._sent += 1
                self.raw.append(self._codec.encode([answer], self._sent))
                os.write(self._write, b"!")
        return True

    def problems(self) -> list[LinkProblem]:
        taken, self.trouble = self.trouble, []
        return taken

    def close(self, linger: float) -> None:
        self.closed = True
        os.close(self._read)
        os.close(self._write)

    def fileno(self) -> int:
        return self._read

    def pending(self) -> bool:
        return bool(self.raw)


def connection_to(master: ScriptedMaster, token: str = "") -> Connection:
    return Connection("ipc:///somewhere", token=token, transport=lambda: master)


def friendly(message: Any) -> Sequence[Any]:
    if isinstance(message, Hello):
        return [WELCOME]
    if isinstance(message, Query):
        return [Answer(message.id, value={"kind": message.kind, **message.arguments})]
    return []


def test_a_question_is_answered() -> None:
    master = ScriptedMaster(friendly)
    with MasterClient(connection_to(master, token="secret")) as client:
        assert client.query("status") == {"kind": "status"}
        assert client.query("tasks", {"limit": 3}) == {"kind": "tasks", "limit": 3}
    hello, *_, goodbye = master.heard
    assert (hello.role, hello.token) == ("observe", "secret")
    assert isinstance(goodbye, Goodbye)
    assert master.closed


def test_an_unanswerable_question_says_why() -> None:
    def reply(message: Any) -> Sequence[Any]:
        if isinstance(message, Query):
            return [Answer(message.id, error="there is no application '9'")]
        return friendly(message)

    master = ScriptedMaster(reply)
    with (
        MasterClient(connection_to(master)) as client,
        pytest.raises(ConcurrentError, match="there is no application '9'"),
    ):
        client.query("tasks", {"application": "9"})


def test_an_answer_to_another_question_is_not_taken() -> None:
    def reply(message: Any) -> Sequence[Any]:
        if isinstance(message, Query):
            return [Answer(message.id + 7, value="other"), *friendly(message)]
        return friendly(message)

    with MasterClient(connection_to(ScriptedMaster(reply))) as client:
        assert client.query("workers") == {"kind": "workers"}


def test_a_master_that_lost_track_is_greeted_and_asked_again() -> None:
    said: list[Resync] = []

    def reply(message: Any) -> Sequence[Any]:
        if isinstance(message, Query) and not said:
            said.append(Resync())
            return said
        return friendly(message)

    master = ScriptedMaster(reply)
    with MasterClient(connection_to(master)) as client:
        assert client.query("status") == {"kind": "status"}
    assert [type(one).__name__ for one in master.heard] == [
        "Hello",
        "Query",
        "Hello",
        "Query",
        "Goodbye",
    ]


def test_nobody_there_is_said_after_a_bounded_wait() -> None:
    master = ScriptedMaster(lambda _message: [])
    master.trouble.append(LinkProblem("refused", "nobody listens on ipc:///somewhere"))
    with (
        pytest.raises(MasterNotFoundError, match=r"nobody listens on .*0.01 s\): start one"),
        MasterClient(connection_to(master), timeout=0.01),
    ):
        pass
    assert master.closed


def test_a_refusal_names_the_reason() -> None:
    master = ScriptedMaster(lambda _message: [Refused("token", "this token has expired")])
    with (
        pytest.raises(RefusedError, match="this token has expired"),
        MasterClient(connection_to(master)),
    ):
        pass
    assert master.closed


def test_a_wrong_key_is_a_refusal() -> None:
    master = ScriptedMaster(lambda _message: [])
    master.trouble.append(LinkProblem("key", "the key in the link is not that of the master"))
    with (
        pytest.raises(RefusedError, match="the key in the link"),
        MasterClient(connection_to(master)),
    ):
        pass


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (
            msgspec.msgpack.encode((PROTOCOL_VERSION + 1, 1, [])),
            "install the same version of concurrent-framework on both",
        ),
        (b"HTTP/1.1 400 Bad Request", "is no Concurrent master"),
    ],
)
def test_what_does_not_speak_our_protocol_is_refused(frame: bytes, message: str) -> None:
    master = ScriptedMaster(lambda _message: [])
    master.raw.append([frame])
    with pytest.raises(RefusedError, match=message), MasterClient(connection_to(master)):
        pass


def test_a_master_that_leaves_is_no_master() -> None:
    def reply(message: Any) -> Sequence[Any]:
        return [Goodbye("stopped")] if isinstance(message, Query) else friendly(message)

    with (
        MasterClient(connection_to(ScriptedMaster(reply))) as client,
        pytest.raises(MasterNotFoundError, match="is leaving: stopped"),
    ):
        client.query("status")


def test_an_order_is_given_with_the_role_the_token_has() -> None:
    masters: list[ScriptedMaster] = []

    def reply(message: Any) -> Sequence[Any]:
        if isinstance(message, Hello) and message.role == "admin":
            return [Refused("role", "this token does not allow the role admin")]
        return friendly(message)

    def connect() -> ScriptedMaster:
        masters.append(ScriptedMaster(reply))
        return masters[-1]

    connection = Connection("ipc:///somewhere", transport=connect)
    assert order(connection, "cancel", {"target": "3"}) == {"kind": "cancel", "target": "3"}
    assert [master.heard[0].role for master in masters] == ["admin", "submit"]
    assert all(master.closed for master in masters)
