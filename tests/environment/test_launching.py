"""Running what an environment names."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from concurrent_framework.environment import Environment, launch
from concurrent_framework.environment.lock import Holder, holder_of, locked
from concurrent_framework.environment.logs import follow, last_lines
from concurrent_framework.model.errors import ConcurrentError, UsageError
from tests.cli.conftest import bounded
from tests.environment.conftest import SmallDisk, open_plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROBE = """
import logging
from concurrent_framework.components import Component, IApp, implements
from concurrent_framework.config import Option
from concurrent_framework.environment import Environment, IEnvironmentListener

class Probe(Component):
    implements(IApp, IEnvironmentListener)
    end = Option("probe", "end", default="code 7")
    def __init__(self): self.seen = []
    def launched(self, environment): self.seen.append("launched")
    def ended(self, environment, exit_code): self.seen.append(f"ended {exit_code}")
    def app_init(self): self.seen.append("init")
    def app_main(self):
        self.seen.append("main")
        environment = self.components[Environment]
        (environment.layout.data / "seen").write_text(" ".join(self.seen))
        logging.getLogger("probe").info("at work")
        logging.getLogger("probe").debug("too much")
        if self.end == "raise":
            raise RuntimeError("lost my way")
        if self.end == "usage":
            from concurrent_framework.model.errors import UsageError
            raise UsageError("wrong key")
        return 7
"""

SLEEPER = """
import sys, time
from concurrent_framework.components import Component, IApp, implements

class Probe(Component):
    implements(IApp)
    def app_init(self): pass
    def app_main(self):
        print("ready", flush=True)
        sys.stdin.read()
        return 0
"""


def logged(environment: Environment) -> str:
    return environment.layout.log.read_text(encoding="utf-8")


def test_the_named_application_runs_and_its_exit_code_is_returned(
    plug: Callable[[str], Environment],
) -> None:
    environment = plug(PROBE)
    assert launch(environment) == 7
    assert (environment.layout.data / "seen").read_text(encoding="utf-8") == "launched init main"
    probe = environment.listeners[0]
    assert probe.seen[-1] == "ended 7"  # type: ignore[attr-defined]
    assert "INFO    probe: at work" in logged(environment)
    assert "lab ended with exit code 7" in logged(environment)
    assert "too much" not in logged(environment)
    assert holder_of(environment.layout) is None


@pytest.mark.parametrize(
    ("end", "error", "told"),
    [
        ("raise", RuntimeError, "RuntimeError: lost my way"),
        ("usage", UsageError, "ERROR   concurrent: wrong key"),
    ],
)
def test_an_application_that_raises_is_logged(
    plug: Callable[[str], Environment], end: str, error: type[Exception], told: str
) -> None:
    environment = open_plain(plug(PROBE).layout.root, settings=[f"probe.end={end}"])
    with pytest.raises(error):
        launch(environment)
    assert told in logged(environment)
    assert "lab ended with exit code 1" in logged(environment)
    assert holder_of(environment.layout) is None


def test_broken_plugins_are_logged_with_their_traceback(
    plug: Callable[[str], Environment],
) -> None:
    environment = plug(PROBE)
    (environment.layout.plugins / "lab_broken.py").write_text("1 / 0", encoding="utf-8")
    environment = open_plain(environment.layout.root)
    assert launch(environment) == 7
    assert "ERROR   concurrent: plug-in plugins/lab_broken.py cannot be imported" in logged(
        environment
    )
    assert "ZeroDivisionError: division by zero" in logged(environment)


def test_without_an_application_nothing_is_launched(lab: Environment) -> None:
    with pytest.raises(UsageError, match="no application is called 'probe'; there is master, w"):
        launch(lab)
    nameless = open_plain(lab.layout.root, settings=["environment.app="])
    with pytest.raises(UsageError, match=r"names no application: `concurrent env app .*` sets it"):
        launch(nameless)


def test_two_launches_at_once_are_refused_and_a_killed_one_leaves_no_lock(
    plug: Callable[[str], Environment],
) -> None:
    environment = plug(SLEEPER)
    code = (
        "import sys; from pathlib import Path\n"
        "from concurrent_framework.environment import Environment, launch\n"
        f"sys.exit(launch(Environment.open(Path({str(environment.layout.root)!r}))))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with bounded(process):
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        with pytest.raises(UsageError, match=rf"is in use \(process {process.pid}, running since"):
            launch(environment)
        holder = holder_of(environment.layout)
        assert holder is not None
        assert holder.pid == process.pid
        process.send_signal(signal.SIGKILL)
    with locked(environment.layout, "testing"):
        pass


def test_a_lock_file_that_cannot_be_read_does_not_matter(lab: Environment) -> None:
    lab.layout.lock.write_text("nonsense", encoding="utf-8")
    assert holder_of(lab.layout) is None
    with locked(lab.layout, "testing"):
        lab.layout.lock.write_text("nonsense", encoding="utf-8")
        assert holder_of(lab.layout) == Holder(0, "in use", 0.0)
        with (
            pytest.raises(UsageError, match=r"is in use \(by another process\)"),
            locked(lab.layout, "testing again"),
        ):
            pass


def test_the_log_rotates(plug: Callable[[str], Environment]) -> None:
    settings = ["environment.log_size=1024", "environment.log_files=2"]
    environment = open_plain(plug(PROBE).layout.root, settings=settings)
    for _ in range(30):
        assert launch(open_plain(environment.layout.root, settings=settings)) == 7
    names = sorted(os.listdir(environment.layout.logs))
    assert names == ["environment.log", "environment.log.1", "environment.log.2"]
    assert all((environment.layout.logs / name).stat().st_size <= 1024 for name in names)


def test_a_log_that_cannot_be_written_is_told(plug: Callable[[str], Environment]) -> None:
    environment = plug(PROBE)
    environment.layout.log.mkdir()
    with pytest.raises(ConcurrentError, match=r"cannot write the log .*: Is a directory"):
        launch(environment)


def test_a_full_disk_costs_the_log_and_not_the_application(
    plug: Callable[[str], Environment],
    small_disk: SmallDisk,
    capsys: pytest.CaptureFixture[str],
) -> None:
    environment = plug(PROBE)
    environment.layout.log.write_bytes(b"x" * 20_000)
    with small_disk(10_000):
        assert launch(environment) == 7
    (line,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"error: cannot write the log .*environment.log: .*File too large", line)


@pytest.mark.parametrize(
    ("text", "count", "lines"),
    [
        ("", 3, []),
        ("a\nb\nc\n", 2, ["b", "c"]),
        ("a\nb\nc", 2, ["b", "c"]),
        ("a\nb\n", 9, ["a", "b"]),
        ("a\n", 0, []),
        ("\n".join(str(n) for n in range(10_000)) + "\n", 2, ["9998", "9999"]),
        ("x" * 20_000 + "\nlast\n", 1, ["last"]),
    ],
)
def test_the_last_lines_of_a_log(tmp_path: Path, text: str, count: int, lines: list[str]) -> None:
    path = tmp_path / "log"
    path.write_text(text, encoding="utf-8")
    assert last_lines(path, count) == lines


def test_no_log_has_no_lines(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "nowhere", 5) == []


def test_a_log_is_followed_through_rotation(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("old\n", encoding="utf-8")

    def append(text: str) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)

    def rotate() -> None:
        append("before\n")
        path.rename(tmp_path / "log.1")
        append("after\n")

    steps: list[Callable[[], object]] = [
        lambda: append("one\ntwo\nhal"),
        lambda: append("f\n"),
        rotate,
        path.unlink,
        lambda: append("again\n"),
    ]

    def wait() -> bool:
        if not steps:
            return False
        steps.pop(0)()
        return True

    assert list(follow(path, wait)) == ["one", "two", "half", "before", "after", "again"]


def test_a_log_that_does_not_exist_yet_is_followed_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "log"

    def wait() -> bool:
        if path.exists():
            return False
        path.write_text("first\n", encoding="utf-8")
        return True

    assert list(follow(path, wait)) == ["first"]
