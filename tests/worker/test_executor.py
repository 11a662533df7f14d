"""What goes on inside an executor: claims, signals, forks and threads of tasks."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from concurrent_framework.protocol.tasks import Assigned
from concurrent_framework.worker.executor.link import Claims
from tests.managers.sample_tasks import Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.managers.drive import Driver


class Pipe:
    """A token pipe and a chunk of ten tasks."""

    def __init__(self) -> None:
        self.read, self.write = os.pipe()
        os.set_blocking(self.read, False)
        self.claims = Claims(self.read)
        self.rows = [Assigned(key, 1, 0, b"") for key in range(10)]

    def put(self, generation: int, count: int) -> None:
        os.write(self.write, bytes([generation & 0xFF]) * count)

    def claimed(self, generation: int) -> list[int]:
        return [row.key for row in self.claims.claimed(self.rows, generation)]

    def close(self) -> None:
        os.close(self.read)
        os.close(self.write)


def test_a_task_is_claimed_only_when_its_turn_comes() -> None:
    pipe = Pipe()
    pipe.put(0, 10)
    rows = pipe.claims.claimed(pipe.rows, 0)
    assert [next(rows).key, next(rows).key] == [0, 1]
    assert len(os.read(pipe.read, 100)) == 8
    assert list(rows) == []
    pipe.close()


def test_token_of_another_generation_is_kept_for_it() -> None:
    pipe = Pipe()
    pipe.put(0, 3)
    pipe.put(257, 10)
    assert pipe.claimed(0) == [0, 1, 2]
    assert pipe.claimed(0) == []
    assert pipe.claimed(257) == list(range(10))
    assert pipe.claimed(258) == []
    pipe.close()


def test_nothing_is_mixed_up_by_signals(driver: Driver, tmp_path: Path) -> None:
    """A nudge may come between any two steps: messages must stay whole, and in order."""
    driver.run(*(Call("chatter", n) for n in range(100)))
    end = tmp_path / "end"
    flooder = os.fork()
    if flooder == 0:
        from tests.managers.sample_tasks import flood_with_signals

        try:
            flood_with_signals(driver.pids, str(end))
        finally:
            os._exit(0)
    driver.output.clear()
    try:
        assert driver.run(*(Call("chatter", n) for n in range(3000))) == list(range(3000))
    finally:
        end.touch()
        os.waitpid(flooder, 0)
    printed = [line.text for line in driver.output if line.stream == "stdout"]
    logged = [line.text for line in driver.output if line.stream == "info"]
    assert sorted(printed) == sorted(f"chatter {n}" for n in range(0, 3000, 3))
    assert sorted(logged) == sorted(f"logged {n}" for n in range(0, 3000, 5))


def test_child_that_comes_back_from_a_task(driver: Driver, tmp_path: Path) -> None:
    note = tmp_path / "note"
    assert driver.run(*(Call("fork_and_return", str(note)) for _ in range(2))) == ["parent"] * 2
    assert note.read_text() == "child\nchild\n"
    assert driver.run(*(Call("add", n, 1) for n in range(100))) == list(range(1, 101))


def test_processes_of_a_task_may_print(driver: Driver) -> None:
    assert driver.run(Call("pool_of_processes", 4)) == [[0, 1, 4, 9]]
    driver.run(Call("add", 1, 1))
    assert sorted(driver.text().split("\n")) == [f"number {n}" for n in range(4)]


def test_threads_of_a_task(driver: Driver) -> None:
    driver.run(Call("threads_that_talk", 4))
    logged = [line.text for line in driver.output if line.stream == "info"]
    assert len(logged) == len(set(logged)) == 800
    assert sum(line.startswith("printed") for line in driver.text().split("\n")) == 800


def test_interrupts_are_for_the_node(driver: Driver) -> None:
    assert driver.run(Call("ignores_interrupts")) == [True]


def test_random_numbers_differ(make_driver: Callable[..., Driver], tmp_path: Path) -> None:
    """Also where NumPy's state comes with the fork."""
    importlib.import_module("numpy.random")
    driver = make_driver()
    end = str(tmp_path / "end")
    keys = driver.push(*(Call("touch_and_wait", end + n, end) for n in "ab"))
    driver.until(lambda: all(Path(end + n).exists() for n in "ab"))
    Path(end).touch()
    driver.wait(keys)
    numbers = driver.run(*(Call("random_numbers") for _ in range(200)))
    assert len({number for pair in numbers for number in pair}) == 400
