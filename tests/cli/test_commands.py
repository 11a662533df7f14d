"""The commands as people and scripts use them, against a real master and worker."""

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
    from collections.abc import Callable
    from pathlib import Path

APPLICATIONS = """
    import sys
    import threading

    from concurrent_framework import ApplicationNode, Farm, IApp, Resources, Task, implements, task

    @task
    def double(number):
        return 2 * number

    @task
    def fail():
        raise ValueError("of no use")

    class NeedsGpu(Task):
        resources = Resources(gpus=4)
        def __call__(self): ...

    class Doubles(ApplicationNode):
        implements(IApp)
        def start_processing(self):
            self.push_task(double(int(self.arguments[0])))
        def task_finished(self, task, result, error):
            self.log.info(f"doubled: {result}")
            self.shutdown_main_loop(int(self.arguments[1]) if self.arguments[1:] else 0)

    class Fails(ApplicationNode):
        implements(IApp)
        def start_processing(self):
            self.push_task(fail())

    class Raises(ApplicationNode):
        implements(IApp)
        def start_processing(self):
            raise KeyError("in a callback")

    class Stuck(ApplicationNode):
        implements(IApp)
        def start_processing(self):
            self.push_task(NeedsGpu("stuck"))
        def push_task_response(self, result):
            print("pushed", flush=True)

    class Farmer(ApplicationNode):
        implements(IApp)
        def get_task_system(self):
            return Farm(double.function, range(5), name="farm")
        def work_finished(self, result, task_system):
            self.log.info(f"harvest: {result}")
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "some_apps.py").write_text(dedent(APPLICATIONS), encoding="utf-8")
    return tmp_path


class Done(NamedTuple):
    """What came of a command."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def concurrent(swarm: Swarm, directory: Path) -> Callable[..., Done]:
    """Run a command at the master in a process of its own."""

    def command(*words: str, link: str = "") -> Done:
        done = subprocess.run(
            [*COMMAND, *words, "--join", link or swarm.ipc],
            cwd=directory,
            env=dict(swarm.environment),
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return command


@pytest.fixture
def ask(
    swarm: Swarm, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Done]:
    """Run a query in this process, which is quicker."""
    monkeypatch.setenv("COLUMNS", "120")

    def command(*words: str, link: str = "") -> Done:
        code = main([*words, "--join", link or swarm.ipc])
        return Done(code, *capsys.readouterr())

    return command


@pytest.fixture
def stuck(swarm: Swarm, directory: Path) -> Any:
    """An application whose one task no worker can run."""
    started = subprocess.Popen(
        [*COMMAND, "run", "some_apps.py:Stuck", "--join", swarm.ipc],
        cwd=directory,
        env=dict(swarm.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with bounded(started) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "pushed\n"
        yield process
        if process.poll() is None:
            process.send_signal(signal.SIGINT)


def test_an_application_runs_on_the_swarm(concurrent: Any) -> None:
    done = concurrent("run", "some_apps.py:Doubles", "21")
    assert (done.stdout, done.stderr, done.returncode) == ("doubled: 42\n", "", 0)


def test_it_runs_over_tcp_with_the_link_of_applications(concurrent: Any, swarm: Swarm) -> None:
    done = concurrent("run", "some_apps.py:Doubles", "21", link=swarm.application_link)
    assert (done.stdout, done.stderr, done.returncode) == ("doubled: 42\n", "", 0)


def test_the_exit_code_is_the_applications_own(concurrent: Any) -> None:
    assert concurrent("run", "some_apps.py:Doubles", "1", "7").returncode == 7


def test_a_failed_task_that_nobody_looks_at_is_an_error(concurrent: Any) -> None:
    done = concurrent("run", "some_apps.py:Fails")
    assert done.returncode == 1
    assert "of no use" in done.stderr


def test_an_exception_in_a_callback_shows_the_users_traceback_alone(concurrent: Any) -> None:
    done = concurrent("run", "some_apps.py:Raises")
    assert done.returncode == 1
    assert "KeyError: 'in a callback'" in done.stderr
    assert done.stderr.count("File ") == 1


def test_ctrl_c_ends_an_application_cleanly(stuck: subprocess.Popen[str]) -> None:
    stuck.send_signal(signal.SIGINT)
    _, errors = stuck.communicate(timeout=LIMIT)
    assert stuck.returncode == 130
    assert "Traceback" not in errors


def test_a_detached_application_is_attached_later(concurrent: Any) -> None:
    done = concurrent("run", "some_apps.py:Farmer", "--detach")
    assert done.returncode == 0, done.stderr
    number = done.stdout.split("concurrent attach ")[1].split()[0]
    attached = concurrent("attach", number)
    assert attached.returncode == 0, attached.stderr
    assert "[0, 2, 4, 6, 8]" in attached.stdout


def test_attach_calls_the_applications_own_callbacks(concurrent: Any) -> None:
    done = concurrent("run", "some_apps.py:Farmer", "--detach")
    number = done.stdout.split("concurrent attach ")[1].split()[0]
    attached = concurrent("attach", number, "some_apps.py")
    assert attached.returncode == 2
    attached = concurrent("attach", number, "some_apps.py:Farmer")
    assert attached.returncode == 0, attached.stderr
    assert "harvest: [0, 2, 4, 6, 8]" in attached.stdout


def test_status_for_people(ask: Any) -> None:
    done = ask("status")
    assert done.returncode == 0
    assert "● lab" in done.stdout
    assert "1 worker, " in done.stdout
    assert "w1" in done.stdout
    assert "fast" in done.stdout


def test_status_for_scripts(ask: Any) -> None:
    answer = json.loads(ask("status", "--json").stdout)
    assert answer["master"] == "lab"
    assert answer["executors"] == 2
    assert [node["worker"] for node in answer["nodes"]] == ["w1"]


@pytest.mark.usefixtures("stuck")
def test_applications_and_tasks(ask: Any) -> None:
    [stuck] = [one for one in json.loads(ask("apps", "--json").stdout) if one["waiting"]]
    assert stuck["name"] == "Stuck"
    assert "Stuck" in ask("apps").stdout
    [task] = json.loads(ask("ps", "Stuck", "--json").stdout)["tasks"]
    assert (task["name"], task["state"]) == ("stuck", "waiting")
    assert task["task"] in ask("ps", "Stuck").stdout
    why = ask("explain", task["task"])
    assert why.stdout == f"{task['task']}: no worker can ever run it: w1 has 0 gpus of 4\n"


def test_cancel_a_task(ask: Any, stuck: subprocess.Popen[str]) -> None:
    [task] = json.loads(ask("ps", "Stuck", "--json").stdout)["tasks"]
    done = ask("cancel", task["task"])
    assert done.stdout == f"cancelled 1 task of {task['task']}\n"
    _, errors = stuck.communicate(timeout=LIMIT)
    assert "cancelled" in errors


def test_cancel_over_tcp_with_the_link_of_applications(
    ask: Any, stuck: subprocess.Popen[str], swarm: Swarm
) -> None:
    done = ask("cancel", "Stuck", "--json", link=swarm.application_link)
    assert json.loads(done.stdout) == {"cancelled": 1}
    assert stuck.wait(LIMIT) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("ps", "nobody"), "there is no application 'nobody'"),
        (("attach", "4711"), "there is no application '4711'"),
        (("cancel", "4711/1"), "task 4711/1 is not waiting or running"),
        (("explain", "one"), "'one' is no task: expected APPLICATION/TASK, as in 3/17"),
    ],
)
def test_what_the_master_does_not_know(ask: Any, words: Any, message: str) -> None:
    done = ask(*words)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {message}")
    assert done.stderr.count("\n") == 1


def test_a_wrong_token_is_refused(concurrent: Any, swarm: Swarm) -> None:
    link = swarm.application_link[:-4] + "abcd"
    for words in (("run", "some_apps.py:Doubles", "1"), ("status",)):
        done = concurrent(*words, link=link)
        assert done.returncode == 4
        assert "token" in done.stderr
        assert done.stderr.count("\n") == 1


def test_a_worker_may_not_run_applications(concurrent: Any, swarm: Swarm) -> None:
    done = concurrent("run", "some_apps.py:Doubles", "1", link=swarm.worker_link)
    assert done.returncode == 4
    assert "execute" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_application_may_not_be_a_worker(concurrent: Any, swarm: Swarm) -> None:
    done = concurrent("worker", link=swarm.application_link)
    assert done.returncode == 4
    assert "Traceback" not in done.stderr


def test_a_wrong_key_is_refused(concurrent: Any, swarm: Swarm) -> None:
    place, _, token = swarm.application_link.partition("?")
    link = f"{place}?key={'x' * 40}&token={token.split('token=')[1]}"
    done = concurrent("run", "some_apps.py:Doubles", "1", link=link)
    assert done.returncode == 4
    assert "key" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("target", ["Doubles", "Farmer"])
def test_tasks_systems_and_results_travel_by_another_pickler(concurrent: Any, target: str) -> None:
    done = concurrent(
        "run", f"some_apps.py:{target}", "21", "--set", "application.pickler=compressed"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout in {"doubled: 42\n", "harvest: [0, 2, 4, 6, 8]\n"}
