"""The session's core, by events: what is sent, sent again, told once, and noticed."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent_framework.application import commands as do
from concurrent_framework.application import events as on
from concurrent_framework.application.session import ApplicationSession
from concurrent_framework.model.errors import (
    ConcurrentError,
    MasterNotFoundError,
    RefusedError,
)
from concurrent_framework.model.ids import FIRST_SPAWNED, task_key
from concurrent_framework.model.outcome import Failure
from concurrent_framework.model.spec import CodeReference
from concurrent_framework.protocol import application as app
from concurrent_framework.protocol import session as greet
from concurrent_framework.protocol.tasks import NewTask, Outcome

LEASE = 9.0
WINDOW = 1100


class Node:
    """A session, and what it wanted done."""

    def __init__(self, role: greet.Role = "submit", linger: float = 0.0) -> None:
        hello = greet.Hello(role, "5e55")
        self.session = ApplicationSession(hello, connect_timeout=5.0, linger=linger)
        self.now = 0.0
        self.done: list[do.Command] = []
        self(on.Started())

    def __call__(self, *events: on.Event, now: float | None = None) -> list[do.Command]:
        self.now = self.now if now is None else now
        self.done = self.session.handle(events, self.now)
        return self.done

    def hear(self, *messages: Any, now: float | None = None) -> list[do.Command]:
        return self(on.Received(list(messages)), now=now)

    def push(self, count: int, payload: bytes = b"p") -> list[int]:
        return [self.session.push(NewTask(0, "t", payload)) for _ in range(count)]

    @property
    def sent(self) -> list[Any]:
        sends = [command for command in self.done if isinstance(command, do.Send)]
        return [message for command in sends for message in command.messages]

    def wanted(self, kind: type[do.Command]) -> list[Any]:
        return [command for command in self.done if isinstance(command, kind)]


def welcome(accepted: int = 0, master: str = "m1", **fields: Any) -> greet.Welcome:
    fields = {"window_tasks": WINDOW, "window_bytes": 1 << 20} | fields
    return greet.Welcome(master, "master", 1, LEASE, accepted, **fields)


def outcomes(*sequences: int, children: int = 0) -> list[Outcome]:
    return [Outcome(task_key(1, n), 1, b"r", children=children) for n in sequences]


@pytest.fixture
def node() -> Node:
    node = Node()
    node.hear(welcome())
    return node


def spans(messages: list[Any]) -> list[tuple[int, int]]:
    """First and last sequence of each submission."""
    return [
        (one.first, one.first + len(one.tasks) - 1)
        for one in messages
        if isinstance(one, app.Submit)
    ]


# Greeting


def test_it_says_hello_and_begins_with_the_first_welcome() -> None:
    node = Node()
    [hello] = node.sent
    assert (hello.session, hello.delivered) == ("5e55", -1)
    node.hear(welcome())
    assert [command.welcome.number for command in node.wanted(do.Begin)] == [1]
    node.hear(welcome())
    assert node.done == []


def test_without_an_answer_it_asks_again_and_gives_up_in_time() -> None:
    node = Node()
    assert node.session.deadline() == 2.0
    node(on.Tick(), now=2.0)
    assert [type(message) for message in node.sent] == [greet.Hello]
    node(on.LinkTrouble("refused", "nobody listens on ipc:///x"), on.Tick(), now=5.0)
    [end] = node.wanted(do.End)
    assert isinstance(end.error, MasterNotFoundError)
    assert str(end.error).startswith("nobody listens on ipc:///x (waited 5 s): start one there")
    assert node.session.deadline() is None


@pytest.mark.parametrize(
    "event",
    [
        on.Received([greet.Refused("token", "no")]),
        on.LinkTrouble("key", "no"),
        on.Unreadable("protocol version 7, expected 1", 7),
    ],
)
def test_a_refusal_of_any_kind_ends_it(event: on.Event) -> None:
    node = Node()
    node(event)
    [end] = node.wanted(do.End)
    assert isinstance(end.error, RefusedError)


def test_before_the_welcome_only_greetings_count() -> None:
    node = Node()
    node.hear(app.Accepted(3), app.Deliver(1, outcomes(1)), greet.Resync())
    assert node.done == []


# Submitting


def test_full_batches_leave_at_once_and_the_rest_with_the_flush(node: Node) -> None:
    node.push(300)
    assert node.session.wants_flush
    node(on.Flush(full_only=True))
    assert spans(node.sent) == [(1, 256)]
    node(on.Flush())
    assert spans(node.sent) == [(257, 300)]


def test_batches_are_bounded_in_bytes_too(node: Node) -> None:
    node.push(4, b"x" * 40_000)
    node(on.Flush())
    assert spans(node.sent) == [(1, 2), (3, 4)]


def test_definitions_and_systems_keep_their_place_among_tasks(node: Node) -> None:
    node.push(2)
    node.session.outbox.define(app.Define())
    node.push(1)
    system = app.PushSystem(4, "s", CodeReference("m", "S"), b"")
    node.session.outbox.push_system(system)
    node.push(1)
    node(on.Flush())
    kinds = [type(message) for message in node.sent]
    assert kinds == [app.Submit, app.Define, app.Submit, app.PushSystem, app.Submit]
    assert spans(node.sent) == [(1, 2), (3, 3), (5, 5)]


def test_the_window_holds_batches_back_until_outcomes_were_handled(node: Node) -> None:
    node.push(WINDOW + 500)
    node(on.Flush())
    sent = spans(node.sent)
    assert sent == [(1, 256), (257, 512), (513, 768), (769, 1024)]
    assert node.session.outbox.room == 0
    node.hear(app.Accepted(1024), app.Deliver(1, outcomes(*range(1, 301))))
    assert spans(node.sent) == []
    node(on.Handled(300))
    assert spans(node.sent) == [(1025, 1280)]


def test_a_batch_is_never_larger_than_a_small_window() -> None:
    node = Node()
    node.hear(welcome(window_tasks=8))
    node.push(10)
    node(on.Flush())
    assert spans(node.sent) == [(1, 2), (3, 4), (5, 6), (7, 8)]


def test_room_is_what_a_generator_may_be_asked_for(node: Node) -> None:
    assert node.session.outbox.room == WINDOW
    node.push(10)
    assert node.session.outbox.room == WINDOW - 10
    node(on.Flush())
    node.hear(app.Accepted(10), app.Deliver(1, outcomes(1, 2, 3)))
    assert node.session.outbox.room == WINDOW - 10
    node(on.Handled(3))
    assert node.session.outbox.room == WINDOW - 7


def test_the_window_bounds_bytes_but_a_larger_task_passes_alone(node: Node) -> None:
    node.push(3, b"x" * 900_000)
    node(on.Flush())
    assert spans(node.sent) == [(1, 1)]
    assert node.session.outbox.room == 0
    node.hear(app.Accepted(1), app.Deliver(1, outcomes(1)))
    node(on.Handled(1))
    assert spans(node.sent) == [(2, 2)]
    node.hear(app.Deliver(2, outcomes(2)), app.Deliver(3, outcomes()))
    node(on.Handled(2))
    assert spans(node.sent) == [(3, 3)]


# Resending


def test_a_resync_compares_and_sends_again_what_was_not_accepted(node: Node) -> None:
    node.push(600)
    node(on.Flush())
    node.hear(app.Accepted(256))
    assert [command.through for command in node.wanted(do.PushAccepted)] == [256]
    node.hear(greet.Resync())
    assert [type(message) for message in node.sent] == [greet.Hello]
    node.push(10)
    node(on.Flush())
    assert node.sent == []
    node.hear(welcome(300))
    assert [command.through for command in node.wanted(do.PushAccepted)] == [300]
    assert spans(node.sent) == [(301, 512), (513, 600), (601, 610)]
    assert node.wanted(do.Regained) == []


def test_definitions_are_sent_again_until_what_needs_them_is_accepted(node: Node) -> None:
    node.session.outbox.define(app.Define())
    node.push(1)
    node(on.Flush())
    node.hear(greet.Resync())
    node.hear(welcome(0))
    assert [type(message) for message in node.sent] == [app.Define, app.Submit]
    node.hear(app.Accepted(1))
    node.hear(greet.Resync())
    node.hear(welcome(1))
    assert node.sent == []


@pytest.mark.parametrize("event", [on.Missed(), on.Unreadable("?", 1), on.LinkTrouble("lost", "")])
def test_a_loss_on_the_way_here_makes_it_greet_again(node: Node, event: on.Event) -> None:
    node(event)
    assert [(type(message), message.delivered) for message in node.sent] == [(greet.Hello, 0)]
    node(event)
    assert len(node.sent) <= 1


def test_a_restarted_master_that_remembers_is_gone_on_with(node: Node) -> None:
    node.push(3)
    node(on.Flush())
    node.hear(app.Accepted(2))
    node(on.Tick(), now=LEASE)
    [lost] = node.wanted(do.MasterLost)
    assert lost.reason == "no sign of life for 9 s"
    node.hear(welcome(2, master="m2"), now=LEASE + 1)
    [regained] = node.wanted(do.Regained)
    assert regained.restarted
    assert spans(node.sent) == [(3, 3)]


def test_a_restarted_master_that_forgot_is_an_error(node: Node) -> None:
    node.push(3)
    node(on.Flush())
    node.hear(app.Accepted(3))
    node.hear(greet.Resync())
    node.hear(welcome(0, master="m2"))
    [end] = node.wanted(do.End)
    assert isinstance(end.error, ConcurrentError)
    assert "3 tasks had no outcome" in str(end.error)


# Outcomes


def test_outcomes_are_passed_on_once_and_acknowledged_when_handled(node: Node) -> None:
    node.push(4)
    node(on.Flush())
    node.hear(app.Deliver(1, outcomes(1, 2), {1: NewTask(0, "two", b"")}))
    [ended] = node.wanted(do.TasksEnded)
    assert (ended.first, len(ended.outcomes), list(ended.origins)) == (1, 2, [1])
    assert node.sent == []

    node.hear(app.Deliver(1, outcomes(1, 2, 3), {1: NewTask(0, "two", b"")}))
    [ended] = node.wanted(do.TasksEnded)
    assert (ended.first, [one.key & 7 for one in ended.outcomes], ended.origins) == (3, [3], {})

    node(on.Handled(3))
    assert node.sent == [app.Delivered(3)]
    node.hear(app.Deliver(1, outcomes(1, 2, 3)))
    assert node.wanted(do.TasksEnded) == []
    assert node.sent == [app.Delivered(3)]


def test_a_gap_in_the_numbers_of_outcomes_makes_it_greet_again(node: Node) -> None:
    node.push(3)
    node(on.Flush())
    node.hear(app.Deliver(1, outcomes(1)))
    node.hear(app.Deliver(3, outcomes(3)))
    assert node.wanted(do.TasksEnded) == []
    assert [type(message) for message in node.sent] == [greet.Hello]
    node(on.Handled(1))
    assert node.sent == []
    node.hear(welcome(3), app.Deliver(2, outcomes(2, 3)))
    [ended] = node.wanted(do.TasksEnded)
    assert (ended.first, len(ended.outcomes)) == (2, 2)


def test_the_end_of_a_system_is_numbered_among_the_outcomes(node: Node) -> None:
    node.session.outbox.push_system(app.PushSystem(1, "s", CodeReference("m", "S"), b""))
    node(on.Flush())
    assert node.session.outbox.outstanding == 1
    node.hear(app.SystemEnded(1, 1, b"result"))
    assert len(node.wanted(do.SystemOver)) == 1
    node.hear(app.SystemEnded(1, 1, b"result"))
    assert node.done == []
    node(on.Handled(1))
    assert node.sent == [app.Delivered(1)]
    assert node.session.outbox.outstanding == 0


def test_children_are_outstanding_until_their_outcomes_come(node: Node) -> None:
    node.push(1)
    node(on.Flush())
    node.hear(app.Deliver(1, outcomes(1, children=2)))
    assert node.session.outbox.outstanding == 2
    node.hear(app.Deliver(2, outcomes(FIRST_SPAWNED, FIRST_SPAWNED + 1)))
    assert node.session.outbox.outstanding == 0


def test_rejected_tasks_free_the_window(node: Node) -> None:
    node.push(3)
    node(on.Flush())
    node.hear(app.Rejected(2, 2, Failure("failed", "E", "no")), app.Accepted(3))
    [rejected] = node.wanted(do.PushRejected)
    assert (rejected.first, rejected.count) == (2, 2)
    assert node.session.outbox.outstanding == 1
    assert node.session.outbox.room == WINDOW - 1


def test_a_new_process_goes_on_where_the_earlier_one_stopped() -> None:
    node = Node()
    node.hear(welcome(40, unfinished=3))
    assert node.session.outbox.outstanding == 3
    node.hear(app.Deliver(38, outcomes(12), {0: NewTask(0, "t", b"")}))
    [ended] = node.wanted(do.TasksEnded)
    assert ended.first == 38
    node(on.Handled(38))
    assert node.sent == [app.Delivered(38)]
    node.hear(app.SystemEnded(39, 1))
    node.hear(app.Deliver(40, outcomes(FIRST_SPAWNED)))
    assert node.session.outbox.outstanding == 0
    assert node.push(1) == [41]
    assert node.session.outbox.room == WINDOW - 3


# Cancelling


def test_cancelling_is_asked_again_after_a_loss_until_the_outcome_comes(node: Node) -> None:
    node.push(3)
    node(on.CancelAsked((1, 3)))
    assert [type(message) for message in node.sent] == [app.Submit, app.CancelTasks]
    node.hear(app.Deliver(1, outcomes(1)))
    node.hear(greet.Resync())
    node.hear(welcome(3))
    assert node.sent == [app.CancelTasks((3,))]


def test_what_is_cancelled_before_it_could_leave_is_cancelled_then(node: Node) -> None:
    node.push(WINDOW + 100)
    node(on.Flush())
    node(on.CancelAsked((1050,), everything=True))
    assert node.sent == [app.CancelTasks(())]
    node.hear(app.Deliver(1, outcomes(*range(1, 769))))
    node(on.Handled(768))
    kinds = [type(message) for message in node.sent]
    assert kinds == [app.Delivered, app.Submit, app.CancelTasks]
    assert node.sent[-1] == app.CancelTasks((1050,))


# Liveness


def test_it_gives_signs_of_life_each_third_of_the_lease(node: Node) -> None:
    node.hear(app.Accepted(0), now=1.0)
    assert node.session.deadline() == LEASE / 3
    node(on.Tick(), now=3.0)
    assert node.sent == [greet.Heartbeat()]
    node.push(1)
    node(on.Flush(), now=5.0)
    assert node.session.deadline() == 8.0


def test_a_silent_master_is_told_once_and_asked_for_ever_more_seldom(node: Node) -> None:
    node(on.Tick(), now=LEASE)
    assert len(node.wanted(do.MasterLost)) == 1
    assert [type(message) for message in node.sent] == [greet.Hello]
    waits = []
    for _ in range(6):
        due = node.session.deadline()
        assert due is not None
        waits.append(due - node.now)
        node(on.Tick(), now=due)
        assert [type(message) for message in node.sent] == [greet.Hello]
        assert node.wanted(do.MasterLost) == []
    assert waits == [2, 4, 8, 16, 30, 30]


def test_a_masters_goodbye_is_a_loss_but_for_a_host_the_end() -> None:
    node = Node()
    node.hear(welcome())
    node.hear(greet.Goodbye("it is stopped"))
    assert [command.reason for command in node.wanted(do.MasterLost)] == ["it is stopped"]
    node.push(1)
    node(on.Flush(), on.Tick(), now=1.0)
    assert node.sent == []
    node(on.Tick(), now=2.0)
    assert [type(message) for message in node.sent] == [greet.Hello]
    host = Node("host")
    host.hear(welcome())
    host.hear(greet.Goodbye())
    assert [command.error for command in host.wanted(do.End)] == [None]


def test_what_has_no_acknowledgement_is_kept_while_the_master_is_away(node: Node) -> None:
    node(on.Told((app.SystemDone(b"r"),), keep=True))
    assert node.sent == [app.SystemDone(b"r")]
    node.hear(greet.Resync())
    node(on.Told((app.Finished((1,)),)))
    assert node.sent == []
    node.hear(welcome())
    assert node.sent == [app.Finished((1,)), app.SystemDone(b"r")]
    node.hear(greet.Resync())
    node.hear(welcome())
    assert node.sent == [app.SystemDone(b"r")]


def test_leaving_says_goodbye_after_what_was_pushed(node: Node) -> None:
    node.push(1)
    node(on.Leaving(detach=True))
    assert [type(message) for message in node.sent] == [app.Submit, greet.Goodbye]
    assert node.sent[-1].detach
    assert node(on.Flush(), on.Tick(), on.Received([welcome()])) == []


def handled(node: Node, count: int) -> None:
    node.hear(app.Deliver(1, [Outcome(task_key(1, n), 1) for n in range(1, count + 1)]))
    node(on.Handled(count))


def test_what_is_handled_is_told_with_what_is_pushed_next() -> None:
    node = Node(linger=0.5)
    node.hear(welcome())
    node.push(2)
    node(on.Flush())
    handled(node, 2)
    assert node.sent == []
    node.push(1)
    node(on.Flush(), now=0.1)
    assert [type(message) for message in node.sent] == [app.Delivered, app.Submit]
    node(on.Tick(), now=0.6)
    assert node.sent == []


def test_what_is_handled_is_told_soon_anyway() -> None:
    node = Node(linger=0.5)
    node.hear(welcome())
    node.push(2)
    node(on.Flush())
    handled(node, 2)
    assert node.session.deadline() == 0.5
    node(on.Tick(), now=0.5)
    assert node.sent == [app.Delivered(2)]


def test_of_much_that_is_handled_the_master_hears_sooner() -> None:
    node = Node(linger=0.5)
    node.hear(welcome())
    node.push(greet.HANDLED_OUTCOMES + 1)
    node(on.Flush())
    handled(node, greet.HANDLED_OUTCOMES + 1)
    assert node.session.deadline() == greet.HANDLED_SOON


def test_of_large_results_that_are_handled_the_master_hears_sooner() -> None:
    node = Node(linger=0.5)
    node.hear(welcome())
    node.push(2)
    node(on.Flush())
    large = Outcome(task_key(1, 1), 1, bytes(greet.HANDLED_BYTES + 1))
    node.hear(app.Deliver(1, [large]))
    node(on.Handled(1))
    assert node.session.deadline() == greet.HANDLED_SOON
    node(on.Tick(), now=greet.HANDLED_SOON)
    assert node.sent == [app.Delivered(1)]
    node.hear(app.Deliver(2, [Outcome(task_key(1, 2), 1)]))
    node(on.Handled(2), now=0.1)
    assert node.session.deadline() == 0.6


def test_what_is_handled_is_told_before_leaving() -> None:
    node = Node(linger=0.5)
    node.hear(welcome())
    node.push(2)
    node(on.Flush())
    handled(node, 2)
    node(on.Leaving("", detach=True))
    assert node.sent == [app.Delivered(2), greet.Goodbye("", detach=True)]


def test_a_greeting_tells_what_is_handled() -> None:
    node = Node(linger=0.5)
    node.hear(welcome())
    node.push(2)
    node(on.Flush())
    handled(node, 2)
    node(on.Missed(), now=0.1)
    assert [message.delivered for message in node.sent] == [2]
    node(on.Tick(), now=0.6)
    assert not any(isinstance(message, app.Delivered) for message in node.sent)
