"""Steering a swarm from the command line: failed tasks, pauses, priorities, workers."""

from __future__ import annotations

import json
import signal
import subprocess
from textwrap import dedent
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from concurrent_framework.cli.main import main
from tests.cli.conftest import COMMAND, LIMIT, Swarm, bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

APPLICATIONS = """
    import os
    import sys
    from pathlib import Path

    from concurrent_framework import ApplicationNode, IApp, implements, task

    @task(max_attempts=2, retry_on=FileNotFoundError)
    def read(path):
        print("reading", file=sys.stderr)
        return Path(path).read_text()

    @task(max_attempts=1)
    def crash(path):
        print("no such thing", file=sys.stderr)
        os._exit(3)

    class Reads(ApplicationNode):
        implements(IApp)
        def start_processing(self):
            self.push_tasks([read(self.arguments[0]), read(self.arguments[0])])
        def task_finished(self, task, result, error):
            print(f"read {result}" if error is None else f"failed {error.type}", flush=True)

    class Stays(Reads):
        ends_when_idle = False

    class Crashes(Reads):
        def start_processing(self):
            self.push_task(crash(""))
        def task_finished(self, task, result, error):
            self.log.error(error.report())
"""


class Done(NamedTuple):
    """What came of a command."""

    code: int
    out: str
    err: str


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "steered.py").write_text(dedent(APPLICATIONS), encoding="utf-8")
    return tmp_path


@pytest.fixture
def ask(
    swarm: Swarm, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Done]:
    """Run a command in this process."""
    monkeypatch.setenv("COLUMNS", "140")

    def command(*words: str) -> Done:
        code = main([*words, "--join", swarm.ipc])
        return Done(code, *capsys.readouterr())

    return command


def run(swarm: Swarm, directory: Path, *words: str) -> Done:
    """Run an application to its end."""
    done = subprocess.run(
        [*COMMAND, "run", *words, "--join", swarm.ipc],
        cwd=directory,
        env=dict(swarm.environment),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def stays(swarm: Swarm, directory: Path) -> Iterator[subprocess.Popen[str]]:
    """An application that stays when its two tasks have failed."""
    started = subprocess.Popen(
        [*COMMAND, "run", "steered.py:Stays", str(directory / "text"), "--join", swarm.ipc],
        cwd=directory,
        env=dict(swarm.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with bounded(started) as process:
        assert process.stdout is not None
        for _ in range(2):
            assert process.stdout.readline() == "failed FileNotFoundError\n"
        yield process
        process.send_signal(signal.SIGINT)


def tasks_of(ask: Any, application: str) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = json.loads(ask("failed", application, "--json").out)
    return answer


def test_failed_tasks_are_listed_shown_and_retried_by_an_application_that_runs(
    ask: Any, stays: subprocess.Popen[str], directory: Path
) -> None:
    [first, second] = tasks_of(ask, "Stays")
    listed = ask("failed", "Stays").out
    assert first["task"] in listed
    assert "FileNotFoundError: [Errno 2] No such file" in " ".join(listed.split())
    shown = ask("show", first["task"]).out
    assert "in read" in shown
    assert "2. on w1, " in shown
    assert "max_attempts 2, retry_on FileNotFoundError" in shown
    assert "reading" in shown
    why = ask("explain", first["task"]).out
    assert f"`concurrent retry {first['task']}` attempts it again" in why
    (directory / "text").write_text("words", encoding="utf-8")
    done = ask("retry", second["task"])
    number = first["application"]
    assert done.code == 0
    new = f"{number}/+0"
    assert done.out == (
        f"1 task attempted again, as {new}; application {number} (Stays) gets the outcome\n"
    )
    assert stays.stdout is not None
    assert stays.stdout.readline() == "read words\n"
    assert [one["task"] for one in tasks_of(ask, "Stays")] == [first["task"]]
    done = ask("retry", "Stays", "--json")
    assert json.loads(done.out)["retried"] == 1
    assert stays.stdout.readline() == "read words\n"


def test_what_an_ended_application_left_is_retried_and_fetched(
    ask: Any, swarm: Swarm, directory: Path
) -> None:
    text = directory / "text"
    done = run(swarm, directory, "steered.py:Reads", str(text))
    assert done.out == "failed FileNotFoundError\n" * 2
    known = json.loads(ask("apps", "--all", "--json").out)
    [ended] = [one for one in known if one["name"] == "Reads"]
    assert (ended["state"], ended["failed"]) == ("ended", 2)
    assert "ended" in ask("apps", "--all").out
    text.write_text("words", encoding="utf-8")
    done = ask("retry", "Reads", "--json")
    [where] = json.loads(done.out)["applications"]
    assert where["recovered"]
    attached = subprocess.run(
        [*COMMAND, "attach", str(where["application"]), "--join", swarm.ipc],
        env=dict(swarm.environment),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert (attached.returncode, attached.stdout) == (0, "read: words\n" * 2)
    assert attached.stderr == "read | reading\n" * 2, "what was printed meanwhile is shown too"
    assert tasks_of(ask, "Reads") == []


def test_the_report_of_a_death_is_for_people(ask: Any, swarm: Swarm, directory: Path) -> None:
    done = run(swarm, directory, "steered.py:Crashes")
    printed, *lines = done.err.splitlines()
    assert printed == "task 1 | no such thing"
    assert lines[0] == "error: the process that ran it ended with exit code 3 (worker w1)"
    assert lines[1:3] == ["its last words:", "no such thing"]
    assert lines[3].startswith("its process ended with exit code 3; it used ")
    assert lines[3].endswith(" of memory at most; the task itself is suspected, not where it ran")
    [task] = tasks_of(ask, "Crashes")
    shown = ask("show", task["task"]).out
    assert "exit code" in shown
    assert "no such thing" in shown
    assert "the task" in shown


def test_an_application_is_paused_resumed_and_preferred(
    ask: Any, stays: subprocess.Popen[str], directory: Path
) -> None:
    (directory / "text").write_text("words", encoding="utf-8")
    [first, _] = tasks_of(ask, "Stays")
    number = first["application"]
    done = ask("pause", "Stays")
    assert done.out == (
        f"application {number} (Stays) is paused: 0 tasks waiting, 0 still running; "
        f"go on with: concurrent resume {number}\n"
    )
    [new] = json.loads(ask("retry", first["task"], "--json").out)["tasks"]
    assert "its application is paused" in ask("explain", new).out
    assert "paused" in ask("apps").out
    done = ask("priority", "Stays", "3", "--weight", "2")
    assert done.out == f"application {number} (Stays): priority +3, weight 2\n"
    [view] = [one for one in json.loads(ask("apps", "--json").out) if one["name"] == "Stays"]
    assert (view["priority"], view["weight"], view["paused"]) == (3, 2.0, True)
    assert ask("resume", "Stays").out == f"application {number} (Stays) goes on\n"
    assert stays.stdout is not None
    assert stays.stdout.readline() == "read words\n"
    assert ask("priority", "Stays", "-4").out == (
        f"application {number} (Stays): priority -4, weight 2\n"
    )
    assert ask("priority", "Stays").code == 1


def test_a_worker_is_drained_and_resumed(ask: Any) -> None:
    done = ask("drain", "w1")
    assert done.out == (
        "worker w1 gets nothing new; it has 0 tasks to finish; undo with: concurrent resume w1\n"
    )
    status = ask("status").out
    assert "drained" in status
    assert "w1: it is drained; `concurrent resume w1` ends that" in status
    [node] = json.loads(ask("status", "--json").out)["nodes"]
    assert node["state"] == "drained"
    assert ask("resume", "w1").out == "worker w1 gets work again\n"
    [node] = json.loads(ask("status", "--json").out)["nodes"]
    assert (node["state"], node["reason"]) == ("active", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("failed", "nobody"), "there is no application 'nobody'"),
        (("retry", "4711/1"), "task 4711/1 is not among the failed tasks"),
        (("show", "one"), "'one' is no task: expected APPLICATION/TASK, as in 3/17"),
        (("pause", "nobody"), "there is no application 'nobody'"),
        (("resume", "w1"), "'w1' is neither paused nor drained"),
        (("drain", "nobody"), "there is no worker 'nobody'; there are: w1"),
        (("priority", "nobody", "3"), "there is no application 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(ask: Any, words: Any, message: str) -> None:
    done = ask(*words)
    assert done.code == 1
    assert done.err.startswith(f"error: {message}")
    assert done.err.count("\n") == 1


def test_resume_needs_a_master(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    directory: Path,
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.chdir(directory)
    assert main(["run", "steered.py:Reads", "--resume"]) == 3
    assert "--resume needs a master that stays" in capsys.readouterr().err
