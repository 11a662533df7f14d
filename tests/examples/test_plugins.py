"""The example package of plug-ins, installed as anybody would and used in a real run."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from concurrent_example_plugins.pack import Pack
from concurrent_framework.model.resources import Resources
from concurrent_framework.scheduling.base import Request, WorkerView
from tests.cli.conftest import COMMAND, LIMIT

Run = Callable[..., "subprocess.CompletedProcess[str]"]

APPLICATION = """
    import threading
    from concurrent_framework import ApplicationNode, IApp, implements, task

    @task
    def where(number):
        return threading.current_thread().name

    class Where(ApplicationNode):
        implements(IApp)
        def start_processing(self):
            self.push_tasks(where(number) for number in range(20))
        def task_finished(self, task, result, error):
            self.log.info(f"ran in {result}")
"""


@pytest.fixture
def concurrent(installed: Path, tmp_path: Path) -> Run:
    (tmp_path / "where.py").write_text(dedent(APPLICATION), encoding="utf-8")

    def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(installed), **variables},
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )

    return run


def test_its_strategy_and_task_manager_run_an_application(concurrent: Run) -> None:
    chosen = ("--set", "worker.manager=threads", "--set", "master.strategy=pack")
    done = concurrent("run", "where.py", *chosen)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 20
    assert all(line.startswith("ran in task-") for line in lines)


def test_its_command_is_one_of_concurrent(concurrent: Run) -> None:
    done = concurrent("interfaces")
    assert (done.returncode, done.stderr) == (0, "")
    assert "ITaskManager         processes, threads\n" in done.stdout
    assert concurrent("interfaces", "too", "many").returncode == 2


def test_the_help_lists_its_command_and_a_mistyped_one_is_told(concurrent: Run) -> None:
    assert "List what can be exchanged, and by what." in concurrent("--help").stdout
    done = concurrent("interface")
    assert done.returncode == 2
    assert "Did you mean 'interfaces'?" in done.stderr


def test_a_run_does_not_import_commands(concurrent: Run) -> None:
    done = concurrent("run", "where.py", PYTHONVERBOSE="1")
    assert done.returncode == 0
    assert "import 'concurrent_example_plugins.threads'" in done.stderr
    assert "import 'concurrent_example_plugins.interfaces'" not in done.stderr


def test_it_can_be_switched_off_as_a_whole(concurrent: Run) -> None:
    off = {"CONCURRENT_COMPONENTS__EXAMPLE_THREADS": "disabled"}
    done = concurrent("run", "where.py", "--set", "worker.manager=threads", **off)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert 'worker.manager = threads: expected "processes"' in done.stderr


def test_it_is_listed_with_its_origin(concurrent: Run, tmp_path: Path) -> None:
    assert concurrent("env", "create", "lab", "--master").returncode == 0
    rows = json.loads(concurrent("plugins", "lab", "--json").stdout)
    found = {row["name"]: row for row in rows}
    assert found["pack"]["origin"] == "concurrent-example-plugins 1.0"
    assert found["threads"]["interfaces"] == ["ITaskManager"]


def test_pack_fills_one_worker_before_the_next() -> None:
    idle = WorkerView(1, room=4, executors=4, occupied=0.0, load=0.0)
    busy = WorkerView(2, room=1, executors=4, occupied=3.0, load=9.0)
    placements = Pack().place(Request(3, Resources(), None), [idle, busy])
    assert [tuple(one) for one in placements] == [(2, 1), (1, 2)]
    assert [tuple(one) for one in Pack().place(Request(1, Resources(), None), [idle, busy])] == [
        (2, 1)
    ]
