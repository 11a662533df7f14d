"""A whole cluster on pure cores: who gets what, and what happens when somebody goes."""

from __future__ import annotations

from collections import Counter

import pytest

from concurrent_framework.application.commands import WorkerGone
from concurrent_framework.model.ids import sequence_of
from concurrent_framework.testing.cluster import SimCluster

PATTERNS = ["push", "pull"]


@pytest.fixture(params=PATTERNS)
def cluster(request: pytest.FixtureRequest) -> SimCluster:
    return SimCluster(request.param)


def every_sequence_once(sequences: list[int], count: int) -> bool:
    return sorted(sequences) == list(range(1, count + 1))


def test_every_task_has_one_outcome(cluster: SimCluster) -> None:
    for _ in range(3):
        cluster.add_worker(executors=2)
    app = cluster.add_application()
    app.push([b"0.01:r%d" % number for number in range(300)])
    cluster.run()
    assert every_sequence_once(app.sequences, 300)
    assert {one.result for one in app.outcomes} == {b"r%d" % number for number in range(300)}


def test_outcomes_come_in_the_order_of_their_tasks_whatever_they_are() -> None:
    cluster = SimCluster("push")
    cluster.add_worker(executors=1)
    apps = [cluster.add_application() for _ in range(2)]
    payloads = [b"0.00002:" + (b"r", b"!no", b">2")[number % 3] for number in range(90)]
    for app in apps:
        app.push(payloads)
    cluster.run()
    for app in apps:
        pushed = [outcome for outcome in app.outcomes if sequence_of(outcome.key) <= 90]
        assert [sequence_of(outcome.key) for outcome in pushed] == list(range(1, 91))
        assert [outcome.failure is None for outcome in pushed] == [True, False, True] * 30
        assert len(app.outcomes) == 90 + 60


def test_work_spreads_over_all_workers(cluster: SimCluster) -> None:
    workers = [cluster.add_worker(executors=2) for _ in range(4)]
    app = cluster.add_application()
    app.push([b"1"] * 80)
    cluster.run()
    assert cluster.clock.now == pytest.approx(10, abs=0.1)
    assert {len(worker.manager.started) for worker in workers} == {20}


def test_tiny_tasks_travel_in_batches(cluster: SimCluster) -> None:
    worker = cluster.add_worker(executors=2)
    app = cluster.add_application()
    app.push([b"0.00002"] * 2000)
    cluster.run()
    assert app.link.received_count < 200
    assert worker.link.received_count < 200
    # 2000 tasks of 20 us on 2 executors take 20 ms; one round trip each would take 200 ms.
    assert cluster.clock.now < 0.06


def test_long_tasks_are_never_hoarded(cluster: SimCluster) -> None:
    first = cluster.add_worker(executors=2)
    app = cluster.add_application()
    app.push([b"1"] * 10)
    cluster.run_for(1.5)
    assert len(first.reactor.held) == 2
    cluster.add_worker(executors=2)
    cluster.run()
    assert cluster.clock.now < 4


def test_an_idle_worker_gets_what_another_has_not_started() -> None:
    cluster = SimCluster("push")
    cluster.add_worker(executors=1)
    app = cluster.add_application()
    app.push([b"0.0001"] * 50)
    cluster.run()
    # The class looks tiny, so the only worker is given many; then they turn out to be long.
    app.push([b"1"] * 40)
    cluster.run_for(0.1)
    late = cluster.add_worker(executors=1)
    cluster.run()
    assert len(late.manager.started) >= 15
    assert every_sequence_once(app.sequences, 90)


def test_a_lost_worker_costs_only_its_attempts(cluster: SimCluster) -> None:
    workers = [cluster.add_worker(executors=2) for _ in range(3)]
    app = cluster.add_application()
    app.push([b"0.5"] * 30)
    cluster.run_for(0.7)
    workers[0].kill()
    cluster.run()
    assert every_sequence_once(app.sequences, 30)
    assert all(one.failure is None for one in app.outcomes)
    assert any(isinstance(seen, WorkerGone) for seen in app.seen)


def test_a_cut_shorter_than_the_lease_costs_nothing(cluster: SimCluster) -> None:
    worker = cluster.add_worker(executors=2)
    app = cluster.add_application()
    app.push([b"0.5"] * 12)
    cluster.run_for(0.7)
    worker.cut()
    cluster.run_for(4)
    worker.mend()
    cluster.run()
    assert every_sequence_once(app.sequences, 12)
    assert max(Counter(worker.manager.started).values()) == 1
    assert len(worker.manager.started) == 12


def test_after_the_lease_late_outcomes_are_fenced(cluster: SimCluster) -> None:
    lost = cluster.add_worker(executors=2)
    app = cluster.add_application()
    app.push([b"20:late"] * 2)
    cluster.run_for(1)
    lost.cut()
    other = cluster.add_worker(executors=2)
    cluster.run_for(15)
    assert len(other.manager.started) == 1
    lost.mend()
    cluster.run()
    assert every_sequence_once(app.sequences, 2)
    # One was handed to the other worker, the second had not been: its first attempt still counts.
    assert {one.attempt for one in app.outcomes} == {1, 2}
    assert cluster.master.state.stale == 1


def test_an_application_that_is_cut_gets_everything_once(cluster: SimCluster) -> None:
    cluster.add_worker(executors=2)
    app = cluster.add_application()
    app.push([b"0.1"] * 40)
    cluster.run_for(0.5)
    app.cut()
    cluster.run_for(3)
    app.push([b"0.1"] * 10)
    app.mend()
    cluster.run()
    assert every_sequence_once(app.sequences, 50)


def test_a_poison_task_is_stopped_and_takes_no_innocent_with_it(cluster: SimCluster) -> None:
    app = cluster.add_application()
    app.push([b"5:poison"])
    app.push([b"5:fine"] * 7)
    deaths = 0
    while app.expecting and deaths < 20:
        worker = cluster.add_worker(executors=4)
        while app.expecting and not any(key & 0xFF == 1 for key, _ in worker.manager.started):
            cluster.clock.step()
        cluster.run_for(1)
        worker.kill()
        deaths += 1
    by_sequence = {one.key & 0xFF: one for one in app.outcomes}
    assert sorted(by_sequence) == list(range(1, 9))
    failure = by_sequence[1].failure
    assert failure is not None
    assert failure.kind == "worker_lost"
    assert len(failure.certificate.attempts) == 3
    assert all(by_sequence[number].failure is None for number in range(2, 9))


def test_a_task_that_is_not_idempotent_runs_at_most_once(cluster: SimCluster) -> None:
    worker = cluster.add_worker(executors=2)
    app = cluster.add_application()
    app.push([b"5"], idempotent=False)
    cluster.run_for(1)
    worker.kill()
    other = cluster.add_worker(executors=2)
    cluster.run()
    assert other.manager.started == []
    failure = app.outcomes[0].failure
    assert failure is not None
    assert failure.kind == "worker_lost"


def test_a_failed_task_is_told_and_not_repeated(cluster: SimCluster) -> None:
    worker = cluster.add_worker()
    app = cluster.add_application()
    app.push([b"0.1:!broken"])
    cluster.run()
    failure = app.outcomes[0].failure
    assert failure is not None
    assert (failure.kind, failure.message) == ("failed", "broken")
    assert len(worker.manager.started) == 1
    assert failure.certificate.worker == worker.name


def test_a_leaving_worker_blames_nobody(cluster: SimCluster) -> None:
    worker = cluster.add_worker(executors=2)
    app = cluster.add_application()
    app.push([b"5"] * 2, max_attempts=1)
    cluster.run_for(1)
    worker.leave()
    cluster.add_worker(executors=2)
    cluster.run()
    assert all(one.failure is None for one in app.outcomes)


def test_higher_priority_goes_first(cluster: SimCluster) -> None:
    cluster.add_worker(executors=1)
    app = cluster.add_application()
    app.push([b"1:low"] * 5, priority=0)
    app.push([b"1:high"] * 5, priority=7)
    cluster.run()
    results = [one.result for one in app.outcomes]
    assert results[1:6] == [b"high"] * 5


@pytest.mark.parametrize(("weight", "share"), [(1.0, 0.5), (3.0, 0.75)])
def test_applications_share_by_weight(cluster: SimCluster, weight: float, share: float) -> None:
    cluster.add_worker(executors=4)
    light = cluster.add_application()
    heavy = cluster.add_application(weight=weight)
    light.push([b"0.1"] * 400)
    heavy.push([b"0.1"] * 400)
    cluster.run_for(8)
    done = len(light.outcomes) + len(heavy.outcomes)
    assert done > 300
    assert len(heavy.outcomes) / done == pytest.approx(share, abs=0.05)


def test_a_late_application_is_not_starved_by_an_early_one(cluster: SimCluster) -> None:
    cluster.add_worker(executors=2)
    early = cluster.add_application()
    early.push([b"0.01"] * 2000)
    cluster.run_for(3)
    late = cluster.add_application()
    late.push([b"0.01"] * 10)
    cluster.run_for(0.5)
    assert len(late.outcomes) == 10


def test_resources_and_labels_are_matched(cluster: SimCluster) -> None:
    plain = cluster.add_worker(executors=4)
    special = cluster.add_worker(executors=4, gpus=1.0, labels=("lab",))
    app = cluster.add_application()
    app.push([b"1"] * 3, gpus=1.0)
    app.push([b"1"] * 2, labels=("lab",))
    cluster.run()
    assert plain.manager.started == []
    assert len(special.manager.started) == 5
    assert cluster.clock.now > 2.9, "one gpu runs one task at a time"


def test_a_large_task_occupies_its_cpus(cluster: SimCluster) -> None:
    cluster.add_worker(executors=4)
    app = cluster.add_application()
    app.push([b"1"] * 4, cpus=2.0)
    cluster.run()
    assert 1.9 < cluster.clock.now < 2.5


def test_what_can_never_run_is_explained(cluster: SimCluster) -> None:
    cluster.add_worker(executors=2)
    app = cluster.add_application()
    app.push([b"1"], gpus=1.0)
    cluster.run_for(1)
    from concurrent_framework.master.explain import explain
    from concurrent_framework.model.ids import task_key

    text = explain(cluster.master, task_key(1, 1))["text"]
    assert text == "no worker can ever run it: w0 has 0 gpus of 1"


def test_cancelling_ends_waiting_and_running_tasks(cluster: SimCluster) -> None:
    from concurrent_framework.application.events import CancelAsked

    cluster.add_worker(executors=2)
    app = cluster.add_application()
    app.push([b"50"] * 6)
    cluster.run_for(1)
    app.feed([CancelAsked((1, 2, 3, 4, 5), everything=False)])
    cluster.run_for(1)
    kinds = [one.failure.kind for one in app.outcomes if one.failure]
    assert kinds == ["cancelled"] * 5
    cluster.run()
    assert app.sequences[-1] == 6


def test_the_end_of_an_application_frees_the_workers(cluster: SimCluster) -> None:
    from concurrent_framework.application.events import Leaving

    worker = cluster.add_worker(executors=2)
    app, other = cluster.add_application(), cluster.add_application()
    app.push([b"500"] * 20)
    cluster.run_for(1)
    app.feed([Leaving()])
    app.expecting = 0
    other.push([b"1"] * 2)
    cluster.run()
    assert len(other.outcomes) == 2
    assert cluster.clock.now < 5
    assert worker.reactor.held == {}
