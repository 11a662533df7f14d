"""Which tasks a pool runs at a time, given what they need."""

from __future__ import annotations

from concurrent_framework.managers import pool_events as on
from concurrent_framework.protocol.tasks import Assigned
from tests.managers.pool_model import PoolModel, need


def test_resources_are_not_overdrawn() -> None:
    model = PoolModel(executors=4, cpus=4.0, memory=1000)
    model.submit(10, resources=need(cpus=2, memory=400))
    model.submit(10, resources=need(cpus=1, memory=100))
    most = 0
    for _ in range(300):
        for one in model.start():
            assert one.running
        rows = [one.running for one in model.running if one.running]
        needs = [model.pool.state.specs[row.spec].spec.resources for row in rows]
        assert sum(each.cpus for each in needs) <= 4
        assert sum(each.memory for each in needs) <= 1000
        most = max(most, len(rows))
        if rows:
            model.running[0].step(model)
    assert len(model.outcomes) == 20
    assert most >= 3


def test_fractions_of_processors_share_one() -> None:
    model = PoolModel(executors=1, cpus=1.0)
    model.warm_up(0.05, resources=need(cpus=0.25))
    model.submit(10, resources=need(cpus=0.25))
    model.start()
    model.pass_time(0.05)
    assert len(model.start()) == 4


def test_wide_task_is_not_passed_over_for_ever() -> None:
    model = PoolModel()
    model.warm_up(1e-4)
    model.submit(300)
    (wide,) = model.submit(resources=need(cpus=2))
    for _ in range(100):
        model.submit(20)
        for one in list(model.executors.values()):
            for _ in range(40):
                one.step(model)
        model.come()
        if wide in model.outcomes:
            break
    assert wide in model.outcomes


def test_task_that_waits_for_a_gpu_does_not_stop_others() -> None:
    model = PoolModel(gpus=1.0)
    gpu = need(gpus=1)
    model.submit(2, resources=gpu)
    model.start()
    keys = model.submit(50)
    (used,) = [one for one in model.running if one.gpus]
    for _ in range(1000):
        model.come()
        for one in list(model.executors.values()):
            if one is not used:
                one.step(model)
    assert set(keys) <= set(model.outcomes)


def test_gpus_are_given_out_singly() -> None:
    model = PoolModel(executors=4, cpus=4.0, gpus=2.0)
    model.submit(5, resources=need(gpus=0.5, cpus=1))
    running = model.start()
    assert sorted(one.gpus for one in running) == [(0,), (0,), (1,), (1,)]
    model.finish()
    model.submit(2, resources=need(gpus=2))
    assert [one.gpus for one in model.start()] == [(0, 1)]
    model.finish()
    assert len(model.outcomes) == 7


def test_what_can_never_run_is_refused() -> None:
    model = PoolModel()
    (key,) = model.submit(resources=need(cpus=3))
    assert model.failure(key).certificate.suspect == "worker"
    model.submitted.add(77)
    model.feed(on.Submitted([Assigned(77, 1, 12345, b"")]))
    assert "was not told" in model.failure(77).message


def test_idle_executors_of_others_make_room() -> None:
    model = PoolModel()
    for application in range(1, 6):
        model.submit(10, application=application)
        model.finish()
        model.bury()
        assert len(model.executors) <= 4
    assert {one.application for one in model.executors.values()} <= {4, 5, 0}
