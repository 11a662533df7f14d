"""The commands that look at a cluster, as people and scripts see them."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

from concurrent_framework import ApplicationNode, IApp, implements, task
from tests.cluster.place import COMMAND, PATIENCE
from tests.cluster.swarm import Swarm


@task
def talk(number: int) -> None:
    print(f"this is {number}\nand more")


class Talks(ApplicationNode):
    """Lets somebody look while it runs."""

    implements(IApp)
    look: Callable[[], Any]
    seen: Any = None

    def start_processing(self) -> None:
        self.done = 0
        self.push_tasks(talk(number) for number in range(3))

    def task_finished(self, task: Any, result: Any, error: Any) -> None:
        self.done += 1
        if self.done == 3:
            looking = threading.Thread(target=self._look)
            looking.start()

    def _look(self) -> None:
        self.seen = self.look()
        self.call_soon(self.shutdown_main_loop)

    ends_when_idle = False


def test_stats_are_a_table_or_json(swarm: Swarm) -> None:
    done = swarm.place.run("stats")
    assert done.code == 0, done.err
    assert "master.turn_seconds" in done.out
    done = swarm.place.run("stats", "--json", "--prefix", "codec.")
    assert set(json.loads(done.out)) == {"codec.decode_seconds", "codec.encode_seconds"}


def test_the_link_to_the_dashboard_is_printed(swarm: Swarm) -> None:
    done = swarm.place.run("dashboard", "--print")
    assert done.out.strip() in swarm.master.out


def test_top_shows_one_picture_when_it_is_piped(swarm: Swarm) -> None:
    done = swarm.command("top")
    assert (done.code, done.err) == (0, "")
    assert "w1" in done.out
    assert "0 of 2 executors busy" in done.out
    assert "\x1b" not in done.out
    assert "q ends" not in done.out


def test_top_gives_json(swarm: Swarm) -> None:
    look = swarm.ask("top")
    assert look["status"]["master"] == "m"
    assert look["nodes"][0]["worker"] == "w1"
    assert look["nodes"][0]["rate"] == 0


def test_top_is_live_in_a_terminal_until_q(swarm: Swarm) -> None:
    ours, theirs = pty.openpty()
    words = [COMMAND, "top", "--join", swarm.endpoint, "--interval", "0.2"]
    process = subprocess.Popen(
        words,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**swarm.place.environ, "TERM": "xterm"},
    )
    os.close(theirs)
    try:
        shown = _read_until(ours, lambda text: text.count("executors busy") >= 2)
        assert "w1" in shown
        os.write(ours, b"q")
        _read_until(ours, lambda _text: process.poll() is not None)
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _read_until(terminal: int, enough: Callable[[str], bool]) -> str:
    """Read what a terminal shows until it is enough, or its other end is closed."""
    text, end = "", time.monotonic() + PATIENCE
    while not enough(text):
        assert time.monotonic() < end, text
        if select.select([terminal], [], [], 0.05)[0]:
            try:
                text += os.read(terminal, 65536).decode(errors="replace")
            except OSError:
                continue
    return text


def test_logs_bring_together_what_tasks_wrote(swarm: Swarm) -> None:
    application = Talks()
    application.look = lambda: (
        swarm.command("logs", "Talks"),
        swarm.command("logs", "Talks", "--json", "-n", "2"),
    )
    swarm.run(application)
    plain, as_json = application.seen
    afterwards = swarm.command("logs", "Talks")
    assert afterwards == plain
    assert plain.code == 0, plain.err
    assert plain.out.count("talk@w1 | this is ") == 3
    assert plain.out.count("talk@w1 | and more") == 3
    lines = [json.loads(line) for line in as_json.out.splitlines()]
    first, last = (line["number"] for line in lines)
    assert last == first + 1
    assert {line["stream"] for line in lines} == {"stdout"}
    assert all(line["task"].partition("/")[2] in {"1", "2", "3"} for line in lines)


def test_logs_are_coloured_in_a_terminal_unless_it_wants_none(swarm: Swarm) -> None:
    application = Talks()

    def look() -> list[str]:
        return [
            _in_terminal(swarm, {**swarm.place.environ, "TERM": "xterm", **more}, "logs", "Talks")
            for more in ({}, {"NO_COLOR": "1"})
        ]

    application.look = look
    swarm.run(application)
    coloured, plain = application.seen
    assert coloured.count("talk@w1\x1b[0m | this is") == 3
    assert "\x1b" not in plain
    assert plain.count("talk@w1 | this is") == 3


def _in_terminal(swarm: Swarm, environ: dict[str, str], *words: str) -> str:
    """Return what a command shows in a terminal until its end."""
    ours, theirs = pty.openpty()
    command = [COMMAND, *words, "--join", swarm.endpoint]
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environ)
    os.close(theirs)
    shown = b""
    try:
        while select.select([ours], [], [], PATIENCE)[0]:
            shown += os.read(ours, 65536)
    except OSError:  # its other end is closed: that was all
        return shown.decode()
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    message = f"it did not end after {shown!r}"
    raise AssertionError(message)


def test_logs_of_nobody_are_told(swarm: Swarm) -> None:
    done = swarm.command("logs", "nobody")
    assert done.code == 1
    assert "there is no application 'nobody'" in done.err
