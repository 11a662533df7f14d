from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from concurrent_framework import NotSerializable, Task, UsageError, current_task
from concurrent_framework.tasks.current import CurrentTask, running


class Sink:
    def __init__(self) -> None:
        self.pushed: list[Task] = []
        self.told: list[tuple[Any, ...]] = []
        self.is_cancelled = False
        self.kept = b""

    def push(self, task: Task) -> None:
        self.pushed.append(task)

    def progress(self, done: float, total: float, message: str) -> None:
        self.told.append((done, total, message))

    def log(self, level: str, text: str) -> None:
        self.told.append((level, text))

    def cancelled(self) -> bool:
        return self.is_cancelled

    def scratch(self) -> Path:
        return Path("scratch")

    def checkpoint(self, state: bytes) -> None:
        self.kept = state

    def restored(self) -> bytes:
        return self.kept


@pytest.fixture
def sink() -> Sink:
    return Sink()


def test_it_reaches_the_executor(sink: Sink) -> None:
    with running(CurrentTask(sink)):
        task = Task("child")
        current_task().push_task(task)
        current_task().push_tasks(Task(f"{n}") for n in range(2))
        current_task().progress(1, 2, "half")
        assert not current_task().cancelled
        sink.is_cancelled = True
        assert current_task().cancelled
        assert current_task().scratch == Path("scratch")
    assert sink.pushed[0] is task
    assert [one.name for one in sink.pushed[1:]] == ["0", "1"]
    assert sink.told == [(1, 2, "half")]


def test_a_checkpoint_is_what_the_next_attempt_finds(sink: Sink) -> None:
    with running(CurrentTask(sink)):
        assert current_task().restored is None
        current_task().checkpoint({"done": [1, 2]})
        assert current_task().restored == {"done": [1, 2]}
        current_task().checkpoint(None)
        assert current_task().restored is None


def test_what_cannot_be_a_checkpoint_is_refused(sink: Sink) -> None:
    with running(CurrentTask(sink)):
        current_task().checkpoint(bytes(16_000_000))
        with pytest.raises(UsageError, match=r"the state takes 17.0 MiB, 16 MiB at most: write it"):
            current_task().checkpoint(bytes(17 << 20))
        with pytest.raises(NotSerializable, match=r"checkpoint cannot be kept: .*lock"):
            current_task().checkpoint({"a": [threading.Lock()]})
        sink.kept = b"nonsense"
        with pytest.raises(NotSerializable, match="checkpoint cannot be rebuilt here"):
            _ = current_task().restored


def test_log_is_a_logger_like_any_other(sink: Sink) -> None:
    with running(CurrentTask(sink)):
        current_task().log.info("found %d", 3)
        current_task().log.debug("detail")
        try:
            message = "broken"
            raise ValueError(message)
        except ValueError:
            current_task().log.exception("oh")
    assert sink.told[:2] == [("info", "found 3"), ("debug", "detail")]
    level, text = sink.told[2]
    assert level == "error"
    assert text.startswith("oh\nTraceback")
    assert text.endswith("ValueError: broken")


def test_outside_a_task_it_says_so(sink: Sink) -> None:
    with pytest.raises(UsageError, match="only while a task runs on a worker"):
        current_task()
    with running(CurrentTask(sink)):
        current_task()
    with pytest.raises(UsageError, match="only while a task runs"):
        current_task()


def test_a_thread_uses_what_was_asked_before(sink: Sink) -> None:
    failures: list[UsageError] = []

    def work(mine: CurrentTask) -> None:
        mine.progress(1, 1)
        try:
            current_task()
        except UsageError as error:
            failures.append(error)

    with running(CurrentTask(sink)):
        thread = threading.Thread(target=work, args=(current_task(),))
        thread.start()
        thread.join()
    assert sink.told == [(1, 1, "")]
    assert "before that thread was started" in str(failures[0])


@pytest.mark.parametrize(("done", "total"), [(-1, 1), (1, float("nan")), (float("inf"), 1)])
def test_progress_that_makes_no_sense_is_refused(sink: Sink, done: float, total: float) -> None:
    with running(CurrentTask(sink)), pytest.raises(UsageError, match="finite numbers >= 0"):
        current_task().progress(done, total)


def test_only_tasks_can_be_pushed(sink: Sink) -> None:
    wrong: Any = "a string"
    with (
        running(CurrentTask(sink)),
        pytest.raises(UsageError, match="takes a Task, not 'a string'"),
    ):
        current_task().push_task(wrong)
