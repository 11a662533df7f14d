"""Books of a worker's shared objects: what tasks wait for, what stays, and what goes."""

from __future__ import annotations

import pytest

from concurrent_framework.code.blobs import make_blob
from concurrent_framework.model.ids import SPEC_BITS, task_key
from concurrent_framework.model.resources import Capacity
from concurrent_framework.model.spec import DATA, CodeBlob, CodeReference, TaskSpec
from concurrent_framework.protocol import worker as say
from concurrent_framework.protocol.session import Welcome
from concurrent_framework.protocol.tasks import Assigned, Outcome, SpecEntry
from concurrent_framework.worker import commands as do
from concurrent_framework.worker import events as on
from concurrent_framework.worker.data import SharedData
from concurrent_framework.worker.reactor import Identity, WorkerReactor

ONE, TWO, THREE = (make_blob(DATA, bytes([number]) * 100) for number in (1, 2, 3))


def entry(number: int, *blobs: CodeBlob, application: int = 1) -> SpecEntry:
    code = CodeReference("m", "Task")
    shares = tuple(blob.digest for blob in blobs)
    return SpecEntry(application << SPEC_BITS | number, TaskSpec(code, shares=shares))


def row(sequence: int, number: int, application: int = 1) -> Assigned:
    key = task_key(application, sequence)
    return Assigned(key, 1, application << SPEC_BITS | number, b"")


@pytest.fixture
def data() -> SharedData:
    books = SharedData(250, "w1")
    books.learn([entry(1, ONE), entry(2, TWO), entry(3), entry(4, ONE, TWO)], [])
    return books


def test_a_task_waits_for_its_data_and_others_pass(data: SharedData) -> None:
    waits, passes = row(1, 1), row(2, 3)
    assert data.arrive([waits, passes]) == ([passes], (ONE.digest,))
    # It is asked for once.
    again = row(3, 1)
    assert data.arrive([again]) == ([], ())
    assert data.learn([], [TWO]) == []
    assert data.learn([], [ONE]) == [waits, again]
    assert data.arrive([row(4, 1)]).missing == ()


def test_what_tasks_need_is_not_evicted(data: SharedData) -> None:
    data.learn([], [ONE, TWO, THREE])
    data.arrive([row(1, 1)])
    assert data.trim() == (TWO.digest,)
    data.limit = 0
    assert data.trim() == (THREE.digest,)
    data.ended([row(1, 1).key])
    assert data.trim() == (ONE.digest,)


def test_what_was_used_last_is_evicted_last(data: SharedData) -> None:
    data.learn([], [ONE, TWO, THREE])
    data.arrive([row(1, 1)])
    data.ended([row(1, 1).key])
    data.limit = 100
    assert data.trim() == (TWO.digest, THREE.digest)


def test_a_task_that_waits_can_be_given_back_or_cancelled(data: SharedData) -> None:
    rows = [row(number, 1) for number in (1, 2, 3)]
    data.arrive(rows)
    assert data.give_back(1) == [(rows[2].key, 1)]
    [outcome] = data.cancel([(rows[0].key, 1), (99, 1)])
    assert outcome.failure is not None
    assert (outcome.key, outcome.failure.kind) == (rows[0].key, "cancelled")
    assert data.learn([], [ONE]) == [rows[1]]


def test_after_a_new_greeting_everything_is_asked_for_again(data: SharedData) -> None:
    data.arrive([row(1, 4)])
    data.learn([], [ONE])
    assert data.ask_again() == (TWO.digest,)


def test_what_is_gone_fails_what_waits_and_leaves_what_is_used(data: SharedData) -> None:
    data.learn([], [TWO])
    data.arrive([row(1, 1), row(2, 2)])
    dropped, [outcome] = data.gone([ONE.digest, TWO.digest])
    assert dropped == ()
    assert outcome.key == row(1, 1).key
    data.ended([row(2, 2).key])
    assert data.gone([TWO.digest]) == ((TWO.digest,), [])


def test_an_applications_data_goes_with_it_unless_another_needs_it(data: SharedData) -> None:
    data.learn([entry(1, TWO, application=2)], [ONE, TWO])
    data.arrive([row(1, 4), row(2, 1)])
    assert data.forget(1) == (ONE.digest,)
    assert not data.needs
    assert data.digests == (TWO.digest,)


def test_the_worker_asks_gives_back_and_tells() -> None:
    worker = WorkerReactor(Identity("s", "w1"), Capacity(), 0.0, cache_bytes=0)

    def handle(*messages: object) -> list[do.Command]:
        return worker.handle([on.Received(list(messages))], 1.0)

    handle(Welcome("m", "master", 1, 10.0))
    [sent, learn] = handle(say.Provide((entry(1, ONE),)), say.Run([row(1, 1), row(2, 1)]))
    assert sent == do.Send([say.Need((ONE.digest,))])
    assert isinstance(learn, do.Learn)
    [take_back] = handle(say.Recall(1))
    assert take_back == do.TakeBack(0)
    [sent] = worker.handle([on.GivenBack([])], 1.0)
    assert sent == do.Send([say.Recalled(((row(2, 1).key, 1),))])
    [learn, execute] = handle(say.Provide((), (ONE,)))
    assert execute == do.Execute([row(1, 1)])
    # A task uses it: it stays until that has ended.
    assert handle(say.Gone((ONE.digest,))) == []
    assert worker.data.digests == (ONE.digest,)
    ended = on.Reported([Outcome(row(1, 1).key, 1)], [], [])
    [sent, discard] = worker.handle([ended], 2.0)
    assert discard == do.Discard((ONE.digest,))
    assert isinstance(sent, do.Send)
    assert sent.messages[-1] == say.Evicted((ONE.digest,))
