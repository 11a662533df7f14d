"""Task systems that have failed, and begin again where they were."""

from __future__ import annotations

import threading
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from concurrent_framework import Farm, Task, TaskFailed, TaskSystem
from concurrent_framework.application.events import Leaving
from concurrent_framework.application.outcomes import result_of
from concurrent_framework.code.blobs import make_blob
from concurrent_framework.master.events import Greeted, Received
from concurrent_framework.master.letters import Letters
from concurrent_framework.model.spec import DATA
from concurrent_framework.protocol.application import Query
from concurrent_framework.protocol.session import Hello
from concurrent_framework.testing.disk import SimDisk
from tests.simulation.hosted import Stage
from tests.simulation.orders import RefusedOrderError, order
from tests.simulation.test_checkpoints import Eager, Give, Ledger
from tests.simulation.test_equivalence import compare

if TYPE_CHECKING:
    from collections.abc import Iterator

PATTERNS = ["push", "pull"]
STRIDE = 31
"""Every which step of a run is tried as the moment in which a system fails."""


@pytest.fixture(autouse=True)
def _installed_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no code travel: all of it is in this process."""
    monkeypatch.setattr("concurrent_framework.code.received.find_local", lambda _name: None)


def fail(stage: Stage, steps: int) -> None:
    """Let a system go on for so many steps, then fail, so that it can be retried."""
    stage.step(steps)
    stage.give_up()
    stage.cluster.run_for(0.1)


def journalled(system: TaskSystem, pattern: str = "push", seed: int = 0) -> Stage:
    return Stage(system, pattern, seed, disk=SimDisk(spare=300, step=200))


@pytest.mark.parametrize("kept", [True, False], ids=["journal", "no journal"])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_system_that_fails_at_any_moment_goes_on_when_it_is_retried(
    pattern: str, kept: bool
) -> None:
    moments = 0
    for steps in count(STRIDE, STRIDE):
        stage = journalled(Eager(16), pattern) if kept else Stage(Eager(16), pattern)
        if not stage.step(steps):
            break
        stage.give_up()
        failed = stage.ended.failure
        if failed is None:
            break  # it was through before its last host was killed
        moments += 1
        assert "died 3 times without progress" in failed.message
        assert list(stage.cluster.master.state.applications) == [1]
        stage.cluster.run_for(0.5)
        if kept:
            compare(stage.cluster)
            stage.cluster.disk.wait = lambda _seconds: None  # type: ignore[union-attr]
            stage.restart_master()
            stage.cluster.run_for(5)
        assert stage.retry() == "1/+0"
        if kept:
            compare(stage.cluster)
        begun, told, *_ = stage.finish()
        assert (begun, told) == Eager(16).expected()[:2]
        assert order(stage.cluster, "failed") == [], "it has been saved"
        assert stage.app.session.outbox.outstanding == 0
        assert not stage.cluster.master.state.letters.retries
    assert moments > 8


@pytest.mark.parametrize("pattern", PATTERNS)
def test_it_may_fail_again_and_the_master_die_while_it_is_saved(pattern: str) -> None:
    stage = journalled(Eager(60), pattern)
    for moment in (60, 40, 30):
        stage.step(moment)
        stage.give_up()
        stage.cluster.run_for(0.1)
        stage.retry()
        stage.step(25)
        stage.restart_master()
        stage.cluster.run_for(2)
        compare(stage.cluster)
    begun, told, *_ = stage.finish()
    assert (begun, told) == Eager(60).expected()[:2]


def test_what_it_had_done_is_not_done_again() -> None:
    stage = journalled(Eager(30))
    stage.step(150)
    done = len(stage.host.system.told)
    assert done > 9
    stage.give_up()
    stage.cluster.run_for(0.1)
    before = len(stage.starts())
    stage.retry()
    stage.finish()
    expected = Eager(30).expected()[2]
    assert len(stage.starts()) - before < expected - done + 12
    assert stage.log("goes on from its last checkpoint as 2")


def test_a_system_without_a_checkpoint_begins_at_its_beginning() -> None:
    stage = journalled(Ledger(5))
    stage.give_up()
    assert not stage.ended_systems[0].result
    text = order(stage.cluster, "show", task="1/1")["text"]
    assert text.endswith("`concurrent retry 1/1` has it begin again from its beginning")
    stage.cluster.run_for(0.1)
    stage.retry()
    begun, told, *_ = stage.finish()
    assert (begun, told) == Ledger(5).expected()[:2]


class Unsure(TaskSystem):
    """Fails by itself as long as what it needs is not there."""

    there = False

    def __init__(self) -> None:
        self.told: list[int] = []

    def generate_tasks(self, master: Any) -> Iterator[Task]:
        return (Give(n) for n in range(12))

    def task_finished(self, master: Any, task: Any, result: Any, error: Any) -> None:
        if len(self.told) == 8 and not Unsure.there:
            message = "no licence"
            raise OSError(message)
        self.told.append(result)
        master.checkpoint()

    def gather_result(self, master: Any) -> list[int]:
        return sorted(self.told)


def offered(stage: Stage) -> list[tuple[str, bool]]:
    """Return for each failure whether people are told that it can be attempted again."""
    found = order(stage.cluster, "failures")["failures"]
    return [(one["task"], one["retriable"]) for one in found]


class Large(Ledger):
    """Has more in it than is kept."""

    def __init__(self) -> None:
        super().__init__(5)
        self.ballast = bytes(4000)


def test_a_system_that_was_too_large_to_be_kept_is_not_offered_to_be_retried() -> None:
    stage = journalled(Large())
    stage.cluster.master.state.letters = Letters(10, 8_000, 3600.0)
    stage.give_up()
    stage.cluster.run_for(0.1)
    assert offered(stage) == [("1/1", False)]
    with pytest.raises(RefusedOrderError, match="it was too large to be kept"):
        order(stage.cluster, "retry", target="1/1")


def test_a_system_whose_code_failed_is_told_again_what_it_failed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = journalled(Unsure())
    with pytest.raises(TaskFailed, match="no licence"):
        stage.finish()
    text = order(stage.cluster, "show", task="1/1")["text"]
    assert text.endswith("`concurrent retry 1/1` has it begin again from its last checkpoint")
    monkeypatch.setattr(Unsure, "there", True)
    assert offered(stage) == [("1/1", True)]
    again = stage.retry()
    [failure] = order(stage.cluster, "failures")["failures"]
    assert (failure["retriable"], failure["retried_as"]) == (False, again)
    assert stage.finish() == list(range(12))


class Fetch(Task):
    """Fails as long as there is no route."""

    route = False

    def __init__(self, number: int) -> None:
        self.number = number

    def __call__(self) -> int:
        if self.number == 20 and not Fetch.route:
            message = "no route"
            raise OSError(message)
        return self.number


@pytest.mark.parametrize("target", ["1/1", "1"])
@pytest.mark.parametrize("kept", [True, False], ids=["journal", "no journal"])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_task_on_which_its_system_failed_is_attempted_again_with_it(
    pattern: str, kept: bool, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm = Farm(Fetch, range(24))
    stage = journalled(farm, pattern) if kept else Stage(farm, pattern)
    with pytest.raises(TaskFailed, match="no route"):
        stage.finish()
    [system, task] = sorted(order(stage.cluster, "failed"), key=lambda one: one["task"])
    assert (system["task"], task["task"].split("/")[0]) == ("1/1", "2")
    monkeypatch.setattr(Fetch, "route", True)
    assert order(stage.cluster, "retry", target=target)["tasks"] == ["1/+0"]
    if kept:
        compare(stage.cluster)
        stage.restart_master()
    stage.app.expecting += 1
    stage.retries += 1
    assert stage.finish() == list(range(24))
    assert order(stage.cluster, "failed") == [], "both have been saved"
    assert not stage.cluster.master.state.letters.retries


def test_the_system_of_an_application_that_is_over_goes_on_in_a_recovered_one() -> None:
    stage = journalled(Eager(16))
    stage.step(90)
    stage.give_up()
    stage.app.feed([Leaving("", detach=False)])
    stage.cluster.run_for(1)
    stage.restart_master()
    stage.cluster.run_for(5)
    assert list(stage.cluster.master.state.applications) == []
    done = order(stage.cluster, "retry", target="1/1")
    [where] = done["applications"]
    assert where["recovered"]
    compare(stage.cluster)
    stage.step(40)
    stage.restart_master()
    compare(stage.cluster)
    stage.cluster.run_for(60)
    session = order(stage.cluster, "attach", application=str(where["application"]))["session"]
    other = stage.cluster.add_application("attached", session=session, pid=4711)
    stage.cluster.run_for(1)
    [ended] = other.ended_systems
    (begun, told, *_), error = result_of(ended.result)
    assert error is None
    assert (begun, told) == Eager(16).expected()[:2]
    assert ended.origin is not None, "the process that attaches can make the system again"


def test_a_retry_that_is_cancelled_can_be_retried() -> None:
    stage = journalled(Eager(20))
    fail(stage, 100)
    stage.retry()
    stage.step(60)
    before = stage.cluster.master.state.applications[2].rollbacks
    order(stage.cluster, "cancel", target="1")
    stage.cluster.run_for(1)
    assert [one.failure.kind for one in stage.ended_systems if one.failure] == [
        "worker_lost",
        "cancelled",
    ]
    [failed] = order(stage.cluster, "failed")
    assert failed["retried_as"] == ""
    compare(stage.cluster)
    stage.retry()
    after = stage.cluster.master.state.applications[2].rollbacks
    assert after > before, "what comes of the tasks before is known to be late"
    begun, told, *_ = stage.finish()
    assert (begun, told) == Eager(20).expected()[:2]


class Once(TaskSystem):
    """Has tasks that must not run twice."""

    def __init__(self) -> None:
        self.told: list[tuple[int, bool]] = []

    def generate_tasks(self, master: Any) -> Iterator[Task]:
        for n in range(10):
            made = Give(n, seconds=1.0)
            made.idempotent = False
            yield made

    def task_finished(self, master: Any, task: Any, result: Any, error: Any) -> None:
        self.told.append((task.value, error is None))
        master.checkpoint()

    def gather_result(self, master: Any) -> list[tuple[int, bool]]:
        return sorted(self.told)


def test_tasks_that_must_not_run_twice_do_not() -> None:
    stage = journalled(Once())
    stage.until(1.5)
    stage.give_up()
    stage.cluster.run_for(0.1)
    stage.retry()
    told = stage.finish()
    assert [value for value, _ in told] == list(range(10))
    assert 0 < sum(not well for _, well in told) < 7
    started = [sequence for sequence, _ in stage.starts()]
    assert len(started) == len(set(started))


def test_tasks_that_must_not_run_twice_do_not_after_a_retry_that_was_cancelled() -> None:
    stage = journalled(Once())
    stage.until(0.5)
    stage.give_up()
    stage.cluster.run_for(0.1)
    stage.retry()
    stage.cluster.run_for(0.4)
    order(stage.cluster, "cancel", target="1")
    stage.cluster.run_for(0.1)
    stage.retry()
    told = stage.finish()
    assert [value for value, _ in told] == list(range(10))
    started = [sequence for sequence, _ in stage.starts()]
    assert len(started) == len(set(started))


def test_a_retry_may_be_cancelled_and_repeated_in_one_round() -> None:
    stage = journalled(Eager(20))
    fail(stage, 100)
    stage.retry()
    stage.step(60)
    stage.cluster.feed(
        [
            Greeted("person", Hello("admin", "5e55"), frozenset({"admin"})),
            Received(
                "person",
                [
                    Query(1, "cancel", {"target": "1"}),
                    Query(2, "retry", {"target": "1/1"}),
                ],
            ),
        ]
    )
    compare(stage.cluster)
    stage.restart_master()
    compare(stage.cluster)
    stage.app.expecting += 1
    stage.retries += 1
    begun, told, *_ = stage.finish()
    assert (begun, told) == Eager(20).expected()[:2]


def test_what_was_shared_with_a_failed_system_goes_with_the_one_that_is_made_of_it() -> None:
    stage = journalled(Eager(16))
    fail(stage, 90)
    state = stage.cluster.master.state
    [letter] = state.letters.of()
    blob = make_blob(DATA, b"landscape")
    letter.remains.data = (blob,)  # type: ignore[union-attr]
    stage.retry()
    stage.cluster.run_for(0.1)
    assert blob.digest in state.codes
    compare(stage.cluster)
    stage.finish()
    stage.cluster.run_for(20)
    assert blob.digest not in state.codes


def test_a_system_is_not_begun_again_twice_at_a_time() -> None:
    stage = journalled(Eager(16))
    fail(stage, 90)
    stage.retry()
    with pytest.raises(RefusedOrderError, match="is attempted again already, as 1/\\+0"):
        order(stage.cluster, "retry", target="1/1")
    stage.finish()


class Hoarder(Eager):
    """Has a large state."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.ballast = b""

    def init_system(self, master: Any) -> None:
        super().init_system(master)
        self.ballast = bytes(1000) * 1000


def test_what_is_too_large_to_be_kept_begins_at_its_beginning() -> None:
    stage = journalled(Hoarder(16))
    stage.cluster.master.state.letters._most = 1_000_000
    stage.step(90)
    assert stage.system.checkpoint
    stage.give_up()
    assert stage.cluster.master.state.letters.bytes < 100_000
    stage.cluster.run_for(0.1)
    stage.retry()
    begun, told, *_ = stage.finish()
    assert (begun, told) == Eager(16).expected()[:2]


class Unpicklable(Ledger):
    """Cannot have a checkpoint."""

    def init_system(self, master: Any) -> None:
        super().init_system(master)
        self.lock = threading.Lock()


def test_a_system_that_cannot_be_pickled_begins_at_its_beginning() -> None:
    stage = journalled(Unpicklable(8))
    fail(stage, 60)
    stage.retry()
    begun, told, *_ = stage.finish()
    assert (begun, told) == Ledger(8).expected()[:2]
