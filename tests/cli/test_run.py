"""`concurrent run` on this machine alone, and what it says when it cannot."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
import time
from textwrap import dedent
from typing import TYPE_CHECKING

import psutil
import pytest

from concurrent_framework.cli.main import main
from tests.cli.conftest import COMMAND, LIMIT, bounded

if TYPE_CHECKING:
    from pathlib import Path

HELLO = """
    from concurrent_framework import ApplicationNode, IApp, Task, implements

    class SimpleTask(Task):
        def __init__(self, name, client_id):
            Task.__init__(self, name, None, client_id)
        def __call__(self):
            return "Hello World"
        def finished(self, result, error):
            print("Hey I'm done!")

    class SimpleConcurrentApp(ApplicationNode):
        implements(IApp)
        def get_task_system(self):
            return None
        def start_processing(self):
            self.log.info("Starting computation")
            self.push_task(SimpleTask("my_task", self.node_id_str))
        def task_finished(self, task, result, error):
            self.log.info(result)
            self.shutdown_main_loop()
        def push_task_response(self, result): ...
        def push_task_failed(self, result): ...
        def push_tasks_response(self, result): ...
        def push_tasks_failed(self, result): ...
"""
RUN_AT_ITS_END = """
    from concurrent_framework import run
    run(SimpleConcurrentApp)
"""
SLEEPER = """
    import os
    import time

    from concurrent_framework import ApplicationNode, IApp, current_task, implements, task

    @task
    def sleep():
        while True:
            current_task().progress(0)
            time.sleep(0.05)

    class Sleeper(ApplicationNode):
        implements(IApp)
        def start_processing(self):
            self.push_task(sleep())
        def task_progress(self, task, done, total, message):
            print("running", flush=True)
"""
STEPS = """
    import time

    from concurrent_framework import ApplicationNode, IApp, implements, task

    @task
    def step(number):
        time.sleep(0.1)

    class Steps(ApplicationNode):
        implements(IApp)
        def start_processing(self):
            self.done = 0
            self.push_tasks(step(number) for number in range(16))
        def task_finished(self, task, result, error):
            self.done += 1
            self.progress(self.done, 16, "steps")
            if self.done == 8:
                print("half way")
"""


@pytest.fixture(autouse=True)
def _directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "seed.py": HELLO,
        "seed_with_run.py": HELLO + RUN_AT_ITS_END,
        "sleeper.py": SLEEPER,
        "some_steps.py": STEPS,
        "no_app.py": "number = 1",
        "broken.py": "import nothing_like_this",
    }.items():
        (tmp_path / name).write_text(dedent(text), encoding="utf-8")


@pytest.mark.parametrize(
    "command",
    [
        [*COMMAND, "run", "seed.py"],
        [*COMMAND, "run", "seed.py:SimpleConcurrentApp", "--workers", "1"],
        [sys.executable, "seed_with_run.py"],
        [*COMMAND, "run", "seed_with_run.py"],
    ],
    ids=["run", "class", "python", "both"],
)
def test_the_seeds_hello_world(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "Starting computation",
        "my_task | Hey I'm done!",
        "Hello World",
    ]


@pytest.mark.parametrize(
    ("ending", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_no_process_is_left_behind(ending: signal.Signals, code: int) -> None:
    started = subprocess.Popen(
        [*COMMAND, "run", "sleeper.py", "--workers", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with bounded(started) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "running\n"
        children = psutil.Process(running.pid).children(recursive=True)
        assert children
        running.send_signal(ending)
        _, errors = running.communicate(timeout=LIMIT)
    assert running.returncode == code
    assert "Traceback" not in errors
    _, alive = psutil.wait_procs(children, timeout=LIMIT)
    assert not alive


def test_a_terminal_shows_a_progress_bar() -> None:
    screen, terminal = pty.openpty()
    started = subprocess.Popen(
        [*COMMAND, "run", "some_steps.py", "--workers", "2"],
        stdout=terminal,
        stderr=terminal,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"},
        text=True,
    )
    with bounded(started) as running:
        os.close(terminal)
        shown = b""
        while True:
            try:
                piece = os.read(screen, 4096)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        assert running.wait(LIMIT) == 0
    os.close(screen)
    text = shown.decode()
    assert "half way\r\n" in text
    assert "16/16 100%" in text
    assert "\x1b[?25h" in text, "the cursor is shown again"


def test_a_pipe_gets_nothing_but_what_is_printed() -> None:
    done = subprocess.run(
        [*COMMAND, "run", "some_steps.py"],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "half way\n", "")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["run", "nothing.py"], 2, "error: there is no file nothing.py"),
        (["run", "no_app.py"], 2, "error: no_app.py defines no application"),
        (["run", "seed.py:Other"], 2, "error: seed.py has no class Other"),
        (["run", "seed.py", "--workers", "none"], 2, "error: Invalid value for '--workers'"),
        (["run", "seed.py", "--set", "master"], 2, "error: "),
        (["run", "seed.py", "--set", "master.leese=3"], 2, "error: "),
        (["run", "seed.py", "--set", "master.lease=soon"], 2, "error: "),
        (["run", "seed.py", "--join", "lab7"], 2, "error: 'lab7' is no link"),
        (["run", "seed.py", "--join", "auto", "--workers", "2"], 2, "error: --workers makes a"),
        (["status", "--what"], 2, "error: No such option: --what; see `concurrent status --help`"),
        (["drian"], 2, "error: No such command 'drian'. Did you mean 'drain'? See `concurrent -"),
        (["run", "md5", "--limit", "9"], 2, "error: No such option: --limit; what an application"),
        (["whatever"], 2, "error: No such command 'whatever'; see `concurrent --help`"),
        (["worker", "--join", "tcp://host:1"], 2, "error: the link 'tcp://host:1' must begin"),
        (["master", "--listen", "here"], 2, "error: "),
    ],
)
def test_bad_input_is_told_in_one_line(
    words: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == code
    shown = capsys.readouterr()
    assert shown.err.startswith(message)
    assert shown.err.count("\n") == 1
    assert shown.out == ""


def test_an_import_error_shows_the_users_own_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "broken.py"]) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("Traceback")
    assert shown.endswith("No module named 'nothing_like_this'\n")
    assert shown.count("File ") == 1


@pytest.mark.parametrize(
    "words", [["run", "seed.py"], ["status"], ["apps", "--json"], ["attach", "1"], ["worker"]]
)
def test_a_master_that_is_not_there(
    words: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for section in ("APPLICATION", "WORKER"):
        monkeypatch.setenv(f"CONCURRENT_{section}__CONNECT_TIMEOUT", "0.2")
    began = time.monotonic()
    code = main([*words, "--join", f"ipc://{tmp_path}/none"])
    assert time.monotonic() - began < 10
    assert code == 3
    shown = capsys.readouterr().err.splitlines()[-1]
    assert shown.startswith("error: ")
    assert f" at ipc://{tmp_path}/none (waited 0.2 s): start one there" in shown


def test_two_masters_on_one_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*COMMAND, "master", "--listen", f"tcp://127.0.0.1:{port}"],
            env={**os.environ, "CONCURRENT_HOME": os.getcwd()},
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
    assert done.returncode == 2
    assert str(port) in done.stderr
    assert done.stderr.count("\n") == 1
