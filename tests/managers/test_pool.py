"""The pool's decisions, event by event."""

from __future__ import annotations

import pytest

from concurrent_framework.managers import pool_commands as do
from concurrent_framework.managers import pool_events as on
from concurrent_framework.managers.lanes import CHUNK_SECONDS, SHARED_CHUNK_SECONDS
from concurrent_framework.managers.pool_dispatch import START_PATIENCE
from concurrent_framework.managers.pool_ends import BARREN_LIMIT
from concurrent_framework.managers.pool_state import DRAIN_PATIENCE
from concurrent_framework.managers.pool_watch import RECEIVE_SECONDS
from concurrent_framework.protocol.tasks import Assigned, Outcome
from tests.managers.pool_model import PoolModel, need


def in_flight(model: PoolModel, number: int) -> int:
    return len(model.pool.state.executors[number].flight)


# Sending


def test_executors_are_begun_ahead() -> None:
    assert sorted(PoolModel(executors=3).executors) == [1, 2, 3]


def test_tasks_of_unknown_length_go_one_at_a_time() -> None:
    model = PoolModel()
    model.submit(100)
    model.come()
    assert [in_flight(model, number) for number in (1, 2)] == [1, 1]


def test_short_tasks_go_in_chunks_with_one_more_in_store() -> None:
    model = PoolModel()
    model.warm_up(2e-4)
    model.submit(10_000)
    flights = [in_flight(model, number) for number in (1, 2)]
    two_chunks = 2 * CHUNK_SECONDS / 2e-4
    assert all(0.6 * two_chunks < flight <= two_chunks for flight in flights)
    assert {len(one.frames) for one in model.executors.values()} == {2}


def test_chunks_are_small_while_another_application_has_work() -> None:
    model = PoolModel()
    model.warm_up(2e-4)
    model.submit(application=2)
    model.submit(10_000)
    flights = [in_flight(model, number) for number in (1, 2)]
    assert 0 < max(flights) <= 2 * SHARED_CHUNK_SECONDS / 2e-4


def test_long_tasks_are_not_hoarded() -> None:
    model = PoolModel()
    model.warm_up(0.3)
    model.submit(10)
    assert [in_flight(model, number) for number in (1, 2)] == [1, 1]


def test_one_task_waits_in_an_executor_behind_each_that_is_brief() -> None:
    model = PoolModel()
    model.warm_up(0.05)
    model.submit(10)
    assert [in_flight(model, number) for number in (1, 2)] == [2, 2]


def test_what_waits_in_an_executor_moves_to_one_that_idles() -> None:
    model = PoolModel()
    model.warm_up(0.05)
    first, second = model.executors.values()
    tasks = model.submit(4)
    for _ in range(2):
        first.step(model)
        second.step(model)
    for _ in range(20):
        second.step(model)
    assert second.running is None
    assert set(model.outcomes) >= {tasks[1], tasks[2], tasks[3]}
    assert model.starts.total() == 64 + 4
    assert first.running is not None


def test_short_tasks_that_wait_move_to_an_executor_that_idles() -> None:
    model = PoolModel()
    model.warm_up(2e-3)
    first, second = model.executors.values()
    tasks = model.submit(40)
    waiting = in_flight(model, first.number)
    assert waiting > 10
    for one in model.start():
        assert one.running
    while len(model.outcomes) < 64 + len(tasks) - 1:
        assert second.busy, "it idles although tasks wait"
        second.step(model)
    assert first.running is not None


def test_nobody_looks_at_an_executor_before_its_tasks_may_have_ended() -> None:
    model = PoolModel()
    model.warm_up(1e-3)
    began = model.now
    model.submit(1000)
    expected = min(in_flight(model, number) for number in (1, 2)) * 1e-3
    assert expected > 0.05
    assert began + 0.9 * expected < (model.pool.deadline() or 0.0) <= began + 2 * CHUNK_SECONDS


def test_what_several_executors_give_back_keeps_its_order() -> None:
    model = PoolModel()
    model.warm_up(1e-3)
    model.submit(1000)
    queue = next(iter(model.pool.state.lanes.values())).queue
    first, second = (list(one.flight) for one in model.pool.state.executors.values())
    assert first[0].key < second[0].key < first[-1].key, "each has two chunks"
    model.start()
    model.pass_time(3 * CHUNK_SECONDS)
    keys = [row.key for row in queue]
    assert keys == sorted(keys)
    assert set(keys) >= {row.key for row in (*first[1:], *second[1:])}


def test_what_waits_behind_a_task_that_takes_unusually_long_is_taken_back() -> None:
    model = PoolModel()
    model.warm_up(1e-3)
    model.submit(1000)
    model.start()
    model.pass_time(3 * CHUNK_SECONDS)
    assert [in_flight(model, number) for number in (1, 2)] == [1, 1]


def test_timeouts_of_short_tasks_are_kept_to_a_tenth() -> None:
    model = PoolModel()
    model.warm_up(1e-3, timeout=0.2)
    began = model.now
    model.submit(1000, timeout=0.2)
    assert (model.pool.deadline() or 0.0) <= began + 0.2 / 10


def test_what_waits_in_an_executor_waits_as_long_as_may_be_expected() -> None:
    model = PoolModel()
    model.warm_up(0.05)
    model.submit(10)
    for one in model.executors.values():
        one.step(model)
        one.step(model)
    model.pass_time(0.09)
    assert [in_flight(model, number) for number in (1, 2)] == [2, 2]
    model.pass_time(0.02)
    assert [in_flight(model, number) for number in (1, 2)] == [1, 1]


def test_few_short_tasks_are_shared() -> None:
    model = PoolModel()
    model.warm_up(1e-3)
    model.submit(2)
    assert [in_flight(model, number) for number in (1, 2)] == [1, 1]


def test_large_payloads_are_not_piled_up() -> None:
    model = PoolModel()
    model.warm_up(1e-6)
    number = model.spec()
    rows = [Assigned(1 << 40 | 10_000 + n, 1, number, bytes(600_000)) for n in range(8)]
    model.submitted |= {row.key for row in rows}
    model.feed(on.Submitted(rows))
    assert [in_flight(model, one) for one in (1, 2)] == [2, 2]


def test_every_task_is_reported_once() -> None:
    model = PoolModel()
    keys = model.submit(1000) + model.submit(1000, priority=3) + model.submit(500, application=2)
    model.finish()
    assert set(model.outcomes) == set(keys)
    assert set(model.starts.values()) == {1}


def test_order_of_arrival_over_applications() -> None:
    model = PoolModel()
    model.warm_up(0.05)
    model.warm_up(0.05, application=2)
    first = model.submit(4)
    second = model.submit(2, application=2)
    third = model.submit(2)
    order: list[int] = []
    while len(order) < 8:
        order += [one.running.key for one in model.start() if one.running]
        for one in model.running:
            one.step(model)
    assert set(order[:4]) == set(first)
    assert set(order[4:6]) == set(second)
    assert set(order[6:]) == set(third)


def test_a_second_application_gets_its_turn() -> None:
    model = PoolModel()
    model.warm_up(1e-4)
    first = model.submit(500)
    (key,) = model.submit(application=2)
    later = model.submit(500)
    while key not in model.outcomes:
        model.come()
        for one in list(model.executors.values()):
            one.step(model)
    waiting = {row.key for lane in model.pool.state.lanes.values() for row in lane.queue}
    assert not waiting & set(first)
    assert len(set(later) & set(model.outcomes)) < 50


# Ends of executors


def test_the_running_task_is_to_blame_and_no_other() -> None:
    model = PoolModel()
    model.warm_up(1e-5)
    keys = model.submit(100)
    one = model.start()[0]
    for _ in range(6):
        one.step(model)
    culprit = one.running
    assert culprit is not None
    unsent = [outcome.key for outcome in one.outcomes]
    assert len(unsent) == 3
    model.die(one)
    failure = model.failure(culprit.key)
    assert failure.kind == "worker_lost"
    assert "SIGSEGV" in failure.message
    assert (failure.certificate.signal, failure.certificate.stderr) == (11, "last words")
    model.finish()
    assert [key for key in keys if model.outcomes[key].failure] == [culprit.key]
    assert {key for key in keys if model.starts[key] == 2} == set(unsent)


def test_what_must_not_run_twice_does_not() -> None:
    model = PoolModel()
    model.warm_up(1e-5, idempotent=False)
    keys = model.submit(100, idempotent=False)
    one = model.start()[0]
    for _ in range(6):
        one.step(model)
    model.die(one)
    model.finish()
    assert max(model.starts.values()) == 1
    assert sum(model.outcomes[key].failure is not None for key in keys) == 1


def test_executor_that_dies_idle_is_replaced() -> None:
    model = PoolModel()
    model.submit(2)
    model.finish()
    for one in list(model.executors.values()):
        model.die(one)
    assert len(model.executors) == 2
    model.submit(2)
    model.finish()
    assert len(model.outcomes) == 4


def test_executors_that_cannot_be_started() -> None:
    model = PoolModel()
    keys = model.submit(5)
    for _ in range(BARREN_LIMIT):
        number = next(iter(model.executors))
        del model.executors[number]
        model.feed(on.NotBegun(number, "no memory"))
    assert set(model.outcomes) == set(keys)
    assert "no memory" in model.failure(keys[0]).message
    assert model.failure(keys[0]).certificate.suspect == "worker"


def test_executors_that_die_before_they_come() -> None:
    model = PoolModel()
    keys = model.submit(5)
    for _ in range(BARREN_LIMIT):
        model.die(next(iter(model.executors.values())))
    assert set(model.outcomes) == set(keys)
    (key,) = model.submit()
    assert key not in model.outcomes
    model.finish()
    assert model.outcomes[key].failure is None


def test_executors_that_never_come() -> None:
    model = PoolModel()
    (key,) = model.submit()
    for _ in range(BARREN_LIMIT):
        model.pass_time(START_PATIENCE + 1)
        model.bury()
    assert "was not ready" in model.failure(key).message


# Those that take long


def test_what_waits_behind_a_long_task_goes_elsewhere() -> None:
    model = PoolModel()
    model.warm_up(1e-5)
    model.submit(200)
    stuck, free = model.start()
    for _ in range(400):
        free.step(model)
    model.pass_time(0.05)
    assert stuck.running
    assert not stuck.tokens
    for _ in range(400):
        free.step(model)
    assert len(model.outcomes) == 64 + 199
    assert stuck.running.key not in model.outcomes


def test_outcomes_that_an_executor_keeps_are_asked_for() -> None:
    model = PoolModel()
    model.warm_up(1e-5)
    model.submit(20)
    one = model.start()[0]
    one.step(model)
    one.step(model)
    assert one.outcomes
    assert one.running
    model.pass_time(0.03)
    assert model.nudged == [one.number]


def test_printed_text_of_a_long_task_is_asked_for() -> None:
    model = PoolModel()
    model.submit(1)
    model.start()
    model.output = True
    model.pass_time(1.0)
    assert 3 <= len(model.nudged) <= 5


def test_little_is_done_while_one_long_task_runs() -> None:
    model = PoolModel()
    model.submit(1)
    model.start()
    before = model.now
    ticks = 0
    while model.now < before + 10:
        due = model.pool.deadline()
        assert due is not None
        model.now = due
        model.feed(on.Tick())
        ticks += 1
    assert ticks < 60


def test_nothing_is_due_when_nothing_runs() -> None:
    model = PoolModel()
    model.submit(10)
    model.finish()
    assert model.pool.deadline() is None


def test_executor_that_is_slow_to_receive_is_left_alone() -> None:
    """Large payloads take a while; that is no long task."""
    model = PoolModel()
    model.warm_up(1e-5, timeout=0.5)
    model.come()
    keys = model.submit(4, timeout=0.5)
    before = sum(len(one.frames) for one in model.executors.values())
    model.pass_time(3.0)
    assert sum(len(one.frames) for one in model.executors.values()) == before
    assert not any(one.condemned for one in model.executors.values())
    model.finish()
    assert all(model.outcomes[key].failure is None for key in keys)


def test_executor_that_does_not_receive_at_all_is_replaced() -> None:
    model = PoolModel()
    model.warm_up(1e-5)
    model.come()
    keys = model.submit(100)
    # It is stopped: it has begun nothing of what it was sent.
    assert all(not one.running for one in model.executors.values())
    stopped = set(model.executors)
    model.pass_time(RECEIVE_SECONDS + 1)
    model.pass_time(DRAIN_PATIENCE + 1)
    model.finish()
    assert set(keys) <= set(model.outcomes)
    assert not stopped & set(model.executors)


# Timeouts, memory


def test_timeout_kills_and_names_the_limit() -> None:
    model = PoolModel()
    (key,) = model.submit(timeout=2.0)
    (one,) = model.start()
    model.pass_time(1.9)
    assert not one.condemned
    model.pass_time(0.2)
    assert one.condemned
    model.bury()
    failure = model.failure(key)
    assert failure.kind == "timeout"
    assert "2 s" in failure.message


def test_timeout_counts_from_the_start_of_each_task() -> None:
    model = PoolModel()
    model.warm_up(1e-5, timeout=1.0)
    keys = model.submit(20, timeout=1.0)
    one = model.start()[0]
    for _ in range(10):
        model.pass_time(0.7)
        assert not one.condemned
        one.step(model)
        one.step(model)
        if not one.running:
            break
    running = one.running
    if running:
        model.pass_time(1.1)
        assert one.condemned
    model.finish()
    assert set(keys) <= set(model.outcomes)


def test_result_that_is_faster_than_the_knife_counts() -> None:
    model = PoolModel()
    (key,) = model.submit(timeout=1.0)
    (one,) = model.start()
    model.pass_time(1.1)
    assert one.condemned
    one.step(model)
    one.tell(model)
    model.die(one, 9)
    assert model.outcomes[key].failure is None


def test_memory_limit() -> None:
    model = PoolModel(memory=1 << 30)
    keys = model.submit(2, resources=need(memory=100 << 20))
    running = model.start()
    model.memory = 50 << 20
    model.pass_time(1.0)
    assert not any(one.condemned for one in running)
    model.memory = 150 << 20
    model.pass_time(0.2)
    assert all(one.condemned for one in running)
    model.bury()
    failure = model.failure(keys[0])
    assert failure.kind == "resource_exceeded"
    assert "150 MiB" in failure.message
    assert "100 MiB" in failure.message


# Cancel, recall, forget


def test_cancel_of_waiting_tasks_is_immediate() -> None:
    model = PoolModel()
    model.warm_up(0.05)
    keys = model.submit(10)
    running = [one.running.key for one in model.start() if one.running]
    waiting = [key for key in keys if key not in running]
    model.feed(on.CancelWanted([(key, 1) for key in waiting]))
    assert set(waiting) <= set(model.outcomes)
    assert {model.failure(key).kind for key in waiting} == {"cancelled"}
    model.finish()
    assert not set(waiting) & set(model.starts)


def test_cancel_in_the_executor_spares_neighbours() -> None:
    model = PoolModel()
    model.warm_up(1e-5)
    keys = model.submit(40)
    model.start()
    model.feed(on.CancelWanted([(key, 1) for key in keys[::2]]))
    model.finish()
    failed = {key for key in keys if model.outcomes[key].failure}
    assert failed <= set(keys[::2])
    assert len(failed) >= 18
    assert not failed & set(model.starts)


def test_running_task_gets_a_grace() -> None:
    model = PoolModel(grace=0.5)
    keys = model.submit(2)
    slow, quick = model.start()
    assert slow.running
    assert quick.running
    model.feed(on.CancelWanted([(key, 1) for key in keys]))
    assert sorted(model.asked) == keys
    model.pass_time(0.4)
    quick_key = quick.running.key
    quick.step(model)
    quick.step(model)
    model.pass_time(0.2)
    assert slow.condemned
    assert not quick.condemned
    model.bury()
    assert model.outcomes[quick_key].failure is None
    assert model.failure(slow.running.key).kind == "cancelled"


def test_cancel_of_another_attempt_is_ignored() -> None:
    model = PoolModel()
    keys = model.submit(5)
    model.feed(on.CancelWanted([(key, 2) for key in keys]))
    model.finish()
    assert all(model.outcomes[key].failure is None for key in keys)


def test_recall_takes_the_newest_that_wait() -> None:
    model = PoolModel()
    model.warm_up(0.05)
    old = model.submit(4)
    new = model.submit(4)
    model.start()
    model.feed(on.RecallWanted(3))
    assert model.back == set(new[1:])
    model.feed(on.RecallWanted(100))
    assert len(model.back) == 6
    model.finish()
    assert set(old) & model.back == set(old[2:])


def test_recall_takes_back_what_executors_have_not_started() -> None:
    model = PoolModel()
    model.warm_up(1e-5)
    keys = model.submit(40)
    running = {one.running.key for one in model.start() if one.running}
    model.feed(on.RecallWanted(10))
    assert len(model.back) == 10
    model.feed(on.RecallWanted(1000))
    assert model.back == set(keys) - running
    model.finish()
    assert set(model.outcomes) & set(keys) == running


def test_recall_of_nothing() -> None:
    model = PoolModel()
    model.feed(on.RecallWanted(10))
    assert not model.back
    model.submit(1)
    model.start()
    model.feed(on.RecallWanted(10))
    assert not model.back


def test_forgotten_application() -> None:
    model = PoolModel()
    model.warm_up(1e-5)
    mine = model.submit(500)
    other = model.submit(10, application=2)
    model.start()
    model.feed(on.Forgotten(1))
    model.finish()
    assert set(other) <= set(model.outcomes)
    assert not set(mine) & set(model.outcomes)
    assert model.pool.deadline() is None
    again = model.pool
    assert not again.state.lanes.get((1, need()))


# Nonsense


@pytest.mark.parametrize("key", [0, 999])
def test_executor_that_reports_nonsense(key: int) -> None:
    model = PoolModel()
    keys = model.submit(5)
    one = model.start()[0]
    model.feed(on.Told(one.number, [Outcome(key, 1)], 0))
    assert one.condemned
    model.finish()
    assert set(model.outcomes) == set(keys)
    assert sum(model.outcomes[key].failure is not None for key in keys) == 1


def test_events_of_executors_that_are_gone() -> None:
    model = PoolModel()
    model.feed(
        on.Told(99, [Outcome(1, 1)], 1),
        on.Came(99),
        on.Died(99, 0, 0, 0, "", 0),
        on.Counted(99, 0, True),
        on.Weighed(99, 5),
        on.Withdrawn(99, 0),
        on.NotBegun(99, ""),
    )
    assert not model.outcomes


def test_commands_name_the_executor_they_are_for() -> None:
    model = PoolModel()
    model.submit(1)
    commands = model.pool.handle([on.Came(1)], model.now)
    assert [type(command) for command in commands] == [do.Bind, do.Send]
