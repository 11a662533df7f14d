"""The pool under any sequence of events: nothing is lost, nothing is told twice."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from concurrent_framework.managers import pool_events as on
from concurrent_framework.model.ids import application_of
from tests.managers.pool_model import ModelExecutor, PoolModel, need

SPECS: list[dict[str, Any]] = [
    {},
    {"priority": 1},
    {"idempotent": False},
    {"timeout": 0.05},
    {"resources": need(cpus=2)},
    {"resources": need(cpus=0.25)},
    {"resources": need(memory=600)},
    {"resources": need(gpus=0.5)},
    {"application": 2},
    {"application": 2, "resources": need(gpus=1)},
    {"application": 3, "idempotent": False},
]
which = st.integers(0, 1000)


class PoolMachine(RuleBasedStateMachine):
    """Does anything to a pool, at any time."""

    @initialize(executors=st.integers(1, 3))
    def begin(self, executors: int) -> None:
        self.model = PoolModel(executors=executors, cpus=3.0, memory=1000, gpus=1.0, grace=0.02)
        self.strict: set[int] = set()
        self.forgotten: set[int] = set()

    def pick(self, number: int) -> ModelExecutor | None:
        living = list(self.model.executors.values())
        return living[number % len(living)] if living else None

    @rule(kind=st.integers(0, len(SPECS) - 1), count=st.integers(1, 40))
    def submit(self, kind: int, count: int) -> None:
        keys = self.model.submit(count, **SPECS[kind])
        if SPECS[kind].get("idempotent") is False:
            self.strict |= set(keys)

    @rule()
    def come(self) -> None:
        self.model.come()

    @rule(number=which, steps=st.integers(1, 60), seconds=st.sampled_from([1e-6, 1e-4, 0.1]))
    def work(self, number: int, steps: int, seconds: float) -> None:
        one = self.pick(number)
        self.model.seconds = seconds
        if one is not None and one.came:
            for _ in range(steps):
                if one.number in self.model.executors:
                    one.step(self.model)

    @rule(number=which)
    def tell(self, number: int) -> None:
        one = self.pick(number)
        if one is not None:
            one.tell(self.model)

    @rule(number=which)
    def die(self, number: int) -> None:
        one = self.pick(number)
        if one is not None:
            self.model.die(one)

    @rule(number=which)
    def not_begun(self, number: int) -> None:
        one = self.pick(number)
        if one is not None and not one.came:
            del self.model.executors[one.number]
            self.model.feed(on.NotBegun(one.number, "no"))

    @rule()
    def bury(self) -> None:
        self.model.bury()

    @rule(seconds=st.sampled_from([0.001, 0.011, 0.06, 0.3, 12.0]), memory=st.integers(0, 1500))
    def wait(self, seconds: float, memory: int) -> None:
        self.model.memory = memory
        self.model.pass_time(seconds)

    @rule(limit=st.integers(0, 50))
    def recall(self, limit: int) -> None:
        before = len(self.model.back)
        self.model.feed(on.RecallWanted(limit))
        assert len(self.model.back) - before <= limit

    @rule(part=st.integers(1, 7), attempt=st.integers(1, 2))
    def cancel(self, part: int, attempt: int) -> None:
        keys = [key for key in sorted(self.model.submitted) if key % part == 0]
        self.model.feed(on.CancelWanted([(key, attempt) for key in keys]))

    @rule(application=st.integers(1, 3))
    def forget(self, application: int) -> None:
        open_keys = self.model.submitted - set(self.model.outcomes) - self.model.back
        gone = {key for key in open_keys if application_of(key) == application}
        self.forgotten |= gone
        self.model.feed(on.Forgotten(application))
        self.model.forget_specs(application)

    @precondition(lambda self: hasattr(self, "model"))
    @invariant()
    def nothing_runs_where_it_must_not(self) -> None:
        for key in self.strict:
            assert self.model.starts[key] <= 1

    def teardown(self) -> None:
        if not hasattr(self, "model"):
            return
        model = self.model
        model.memory = 0
        for _ in range(100):
            model.finish()
            model.pass_time(20.0)
            model.bury()
            if not model.running and not any(one.busy for one in model.executors.values()):
                break
        assert not set(model.outcomes) & self.forgotten
        assert set(model.outcomes) | model.back | self.forgotten == model.submitted
        assert not set(model.outcomes) & model.back


PoolMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, print_blob=True
)
test_any_sequence_of_events = PoolMachine.TestCase
