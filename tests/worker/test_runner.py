"""What the executor's runner says of the tasks it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from concurrent_framework.code.blobs import make_blob
from concurrent_framework.model.spec import DATA, CodeReference, TaskSpec
from concurrent_framework.protocol.tasks import Assigned, SpecEntry
from concurrent_framework.tasks import shared
from concurrent_framework.tasks.payload import dump_state
from concurrent_framework.tasks.shared import Shared, SharedObjects, pack, resolving
from concurrent_framework.tasks.task import Task
from concurrent_framework.worker.executor import runner
from concurrent_framework.worker.executor.runner import Runner
from concurrent_framework.worker.executor.running import Running

if TYPE_CHECKING:
    from pathlib import Path

    from concurrent_framework.protocol.tasks import Outcome


class Clock:
    """Says what time it is; what takes time moves it on."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


CLOCK = Clock()


class SlowToRebuild:
    """Takes 100 seconds to rebuild."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        CLOCK.now += 100
        self.__dict__.update(state)


class Second(Task):
    """Takes a second."""

    def __init__(self, held: Any) -> None:
        super().__init__("second")
        self.held = held

    def __call__(self) -> bool:
        CLOCK.now += 1
        return isinstance(self.held, SlowToRebuild)


class SlowCode:
    """Takes 1000 seconds to load a class."""

    def load(self, _code: CodeReference) -> type[Task]:
        CLOCK.now += 1000
        return Second


class Outbox(list[Any]):
    def add(self, outcome: Outcome, _now: float) -> bool:
        self.append(outcome)
        return False


class Sink:
    used = False


def test_a_task_takes_as_long_as_the_next_one_will(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an executor does once, before the first task of a kind, says nothing of the others."""
    for module in (runner, shared):
        monkeypatch.setattr(module, "perf_counter", CLOCK)
    value = SlowToRebuild()
    value.here = True  # type: ignore[attr-defined]
    blob = make_blob(DATA, pack(value))
    (tmp_path / blob.digest).write_bytes(blob.data)
    objects = SharedObjects()
    objects.learn({blob.digest: str(tmp_path / blob.digest)})
    outbox, nothing = Outbox(), Any
    one = Runner("w", SlowCode(), nothing, Running(), Sink(), outbox, objects)  # type: ignore[arg-type]
    one.learn([SpecEntry(1, TaskSpec(CodeReference("tests", "Second")))])
    payload = dump_state(Second(Shared(blob.digest, len(blob.data))))
    with resolving(objects):
        for key in (1, 2, 3):
            one.run(Assigned(key, 1, 1, payload))
    assert [outcome.failure for outcome in outbox] == [None] * 3
    assert [outcome.seconds for outcome in outbox] == [1, 1, 1]
    assert CLOCK.now == 1103
