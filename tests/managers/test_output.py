"""What tasks print, log and say about their progress."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from tests.launch.test_template import wait_until_gone
from tests.managers.sample_tasks import Call

if TYPE_CHECKING:
    from tests.managers.drive import Driver


def test_prints_belong_to_their_tasks(driver: Driver) -> None:
    keys = driver.push(*(Call("say", f"line {n}") for n in range(200)))
    driver.wait(keys)
    said = {line.key: line.text for line in driver.output}
    assert said == {key: f"line {n}" for n, key in enumerate(keys)}
    assert {(line.source, line.worker, line.stream) for line in driver.output} == {
        ("say", "w1", "stdout")
    }


def test_streams_and_odd_text(driver: Driver) -> None:
    driver.run(Call("say", "wrong", "stderr"), Call("say", "no newline", "stdout", ""))
    driver.run(Call("say", "äöü €\ntwo"), Call("say", "\udcff"))
    assert driver.text("stderr") == "wrong"
    lines = {line.text for line in driver.output if line.stream == "stdout"}
    assert lines == {"no newline", "äöü €\ntwo", "\\udcff"}


def test_output_of_child_processes(driver: Driver) -> None:
    driver.run(Call("shell", "echo from the shell; echo oops >&2"))
    assert (driver.text(), driver.text("stderr")) == ("from the shell", "oops")


def test_live_output(driver: Driver, tmp_path: Path) -> None:
    end = str(tmp_path / "end")
    keys = driver.push(
        Call("say_and_wait", "here I am", end),
        Call("shell", f"echo me too; while [ ! -e {end} ]; do sleep 0.01; done"),
    )
    driver.until(lambda: sorted(line.text for line in driver.output) == ["here I am", "me too"])
    assert not driver.outcomes
    Path(end).touch()
    driver.wait(keys)
    assert len(driver.output) == 2


def test_too_much_output_is_cut(driver: Driver) -> None:
    driver.run(Call("say", "x" * 100 + "\n" * 3 + "y" * (3 << 20)), Call("say", "next"))
    texts = [line.text for line in driver.output if line.stream == "stdout"]
    assert 1 << 20 <= sum(map(len, texts)) < (1 << 20) + 1000
    assert "more than 1024 KiB" in driver.text("warning")
    assert "next" in texts


def test_executor_survives_a_task_that_replaces_streams(driver: Driver) -> None:
    driver.run(*(Call("replace_stdout") for _ in range(4)))
    driver.run(Call("say", "still here"))
    assert driver.text() == "still here"


def test_log(driver: Driver) -> None:
    keys = driver.push(Call("log", "warning", "mind the gap"))
    driver.wait(keys)
    (line,) = driver.output
    assert (line.key, line.stream, line.text) == (keys[0], "warning", "mind the gap")


def test_progress_is_limited_but_ends_with_the_last(driver: Driver) -> None:
    (key,) = driver.push(Call("progress", 20_000))
    driver.wait([key])
    last = driver.notes[-1]
    assert (last.key, last.done, last.total, last.message) == (key, 20_000, 20_000, "step 20000")
    assert len(driver.notes) < 100


def test_what_a_task_says_arrives_though_it_says_nothing_more(
    driver: Driver, tmp_path: Path
) -> None:
    keys = driver.push(Call("speak_and_wait", str(tmp_path / "go")))
    driver.until(lambda: any(note.done == 2 for note in driver.notes))
    driver.until(lambda: any("said 2" in line.text for line in driver.output))
    (tmp_path / "go").touch()
    driver.wait(keys)


def test_scratch_directory(driver: Driver) -> None:
    (folder,) = driver.run(Call("scratch"))
    assert folder.startswith(str(driver.directory))
    assert not Path(folder).exists()
    assert set(driver.run(*(Call("where") for _ in range(50)))) == {os.getcwd()}


def test_nothing_is_left_of_what_a_task_started(driver: Driver, tmp_path: Path) -> None:
    path = str(tmp_path / "pid")
    (key,) = driver.push(Call("shell_in_own_session", "sleep 1000", path))
    driver.until(lambda: Path(path + ".done").exists())
    child = int(Path(path).read_text())
    driver.cancel(key)
    driver.wait([key])
    wait_until_gone([child])


def test_nothing_is_left_after_the_end_of_the_node(tmp_path: Path) -> None:
    """Kill -9 of a node that has executors at work."""
    from tests.managers.drive import Driver

    read, write = os.pipe()
    node = os.fork()
    if node == 0:
        try:
            driver = Driver(tmp_path)
            flag = tmp_path / "flag"
            driver.push(Call("touch_and_wait", str(flag)))
            driver.until(lambda: flag.exists() and len(driver.pids) == 2)
            text = " ".join(map(str, [driver.template.pid, *driver.pids]))
            os.write(write, text.encode())
            driver.until(lambda: False)
        finally:
            os._exit(1)
    pids = [int(pid) for pid in os.read(read, 1000).split()]
    assert len(pids) == 3
    os.kill(node, signal.SIGKILL)
    os.waitpid(node, 0)
    wait_until_gone(pids)
    os.close(read)
    os.close(write)
