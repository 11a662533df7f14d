"""What the events of a connection mean, event by event."""

from __future__ import annotations

import socket

import pytest
import zmq

from concurrent_framework.transport.base import LinkProblem
from concurrent_framework.transport.watching import (
    QUIET,
    REDIAL,
    Complaints,
    Dialling,
    Door,
    Event,
    peer_address,
)

CONNECTED = Event(zmq.EVENT_CONNECTED, 1)
DELAYED = Event(zmq.EVENT_CONNECT_DELAYED, 115)
RETRIED = Event(zmq.EVENT_CONNECT_RETRIED, 100)
CLOSED = Event(zmq.EVENT_CLOSED, 1)
DISCONNECTED = Event(zmq.EVENT_DISCONNECTED, 1)
SUCCEEDED = Event(zmq.EVENT_HANDSHAKE_SUCCEEDED, 0)
BROKE_OFF = Event(zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL, 32)
MISMATCH = Event(zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL, zmq.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH)
WRONG_KEY = Event(zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL, zmq.PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC)
UP = [DELAYED, CONNECTED, SUCCEEDED]
IN_VAIN = [DELAYED, CLOSED, RETRIED]
TURNED_AWAY = [DELAYED, CONNECTED, BROKE_OFF, DISCONNECTED, RETRIED]


@pytest.mark.parametrize(
    ("events", "kinds"),
    [
        (UP, []),
        (IN_VAIN, ["refused"]),
        (IN_VAIN * 5, ["refused"]),
        ([*IN_VAIN, *UP], []),
        ([*UP, DISCONNECTED, RETRIED], ["lost"]),
        ([*UP, DISCONNECTED, RETRIED, *IN_VAIN, *IN_VAIN], ["lost", "refused"]),
        ([*UP, DISCONNECTED, RETRIED, *UP, DISCONNECTED], ["lost", "lost"]),
        ([RETRIED, RETRIED], ["refused"]),
        (TURNED_AWAY, []),
        (TURNED_AWAY * 2, ["key"]),
        (TURNED_AWAY * 5, ["key"]),
        ([*TURNED_AWAY, *IN_VAIN, *UP], ["refused"]),
        ([*TURNED_AWAY, *UP, DISCONNECTED, RETRIED, *TURNED_AWAY], ["lost"]),
        ([DELAYED, CONNECTED, MISMATCH, DISCONNECTED], ["key"]),
    ],
)
def test_problems_of_a_client(events: list[Event], kinds: list[str]) -> None:
    dialling = Dialling("tcp://lab:8081")
    found = [problem for event in events if (problem := dialling.feed(event, 0.0))]
    if kinds == []:
        found = [problem for problem in found if problem.kind != "refused"]
    assert [problem.kind for problem in found] == kinds
    assert all("tcp://lab:8081" in problem.text for problem in found)


def test_a_connection_that_was_given_up_is_dialled_anew() -> None:
    dialling = Dialling("tcp://lab:8081")
    for event in (DELAYED, CONNECTED, MISMATCH, DISCONNECTED):
        dialling.feed(event, 5.0)
    assert dialling.redial_at == 5.0 + REDIAL
    assert dialling.redialled().kind == "lost"
    assert dialling.redial_at is None


@pytest.mark.parametrize("sign", [RETRIED, DELAYED, CONNECTED])
def test_a_connection_that_is_dialled_by_itself_is_left_alone(sign: Event) -> None:
    dialling = Dialling("tcp://lab:8081")
    for event in (*UP, DISCONNECTED, sign):
        dialling.feed(event, 5.0)
    assert dialling.redial_at is None


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (WRONG_KEY, "the key it was given is not this master's"),
        (MISMATCH, "it does not speak this master's encrypted protocol"),
        (BROKE_OFF, "it broke off before it had introduced itself"),
    ],
)
def test_callers_that_are_turned_away(failure: Event, why: str) -> None:
    door = Door("tcp://0.0.0.0:8081", {7: "10.0.0.7"}.get)  # type: ignore[arg-type]
    assert door.feed(Event(zmq.EVENT_ACCEPTED, 7)) is None
    assert door.feed(failure) is None
    problem = door.feed(Event(zmq.EVENT_DISCONNECTED, 7))
    assert problem is not None
    assert problem.kind == "key"
    assert problem.text == (f"a caller from 10.0.0.7 was turned away at tcp://0.0.0.0:8081: {why}")


def test_callers_that_leave_are_no_problem() -> None:
    door = Door("tcp://0.0.0.0:8081", lambda _: "")
    for _ in range(3):
        assert door.feed(Event(zmq.EVENT_ACCEPTED, 7)) is None
        assert door.feed(Event(zmq.EVENT_DISCONNECTED, 7)) is None
    assert door._callers == {}


def test_a_caller_that_does_not_give_up_is_told_once_a_minute() -> None:
    complaints = Complaints()
    problem = LinkProblem("key", "a caller from 10.0.0.7 was turned away")
    assert complaints.due(0.0) == []
    complaints.add(problem)
    assert complaints.due(0.0) == [problem]
    for _ in range(600):
        complaints.add(problem)
    assert complaints.due(QUIET - 1) == []
    assert complaints.due(QUIET) == [LinkProblem("key", f"{problem.text} (600 times)")]
    assert complaints.due(2 * QUIET) == []


def test_callers_that_are_many_are_told_each_but_kept_within_bounds() -> None:
    complaints = Complaints()
    for number in range(5000):
        complaints.add(LinkProblem("key", f"a caller from {number}"))
    assert len(complaints.due(0.0)) == 1000
    complaints.add(LinkProblem("key", "one more"))
    assert complaints.due(0.0) == [LinkProblem("key", "one more")]


def test_who_is_at_the_other_end() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as caller,
    ):
        accepted, _ = listener.accept()
        with accepted:
            descriptor = accepted.fileno()
            assert peer_address(descriptor) == "127.0.0.1"
        assert caller.fileno() >= 0
    assert peer_address(descriptor) == ""
