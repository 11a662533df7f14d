"""A child ends when its parent does, whichever thread made it and however the parent ends."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from concurrent_framework.launch.lifeline import Lifeline, fork_is_safe, name_process
from tests.launch.test_template import wait_until_gone

if TYPE_CHECKING:
    from collections.abc import Callable


def parent_of(child: Callable[[Lifeline, int], None], *, by_thread: bool = False) -> int:
    """Fork a parent that forks a child with a lifeline, kill it, and return the child's pid."""
    read, write = os.pipe()
    parent = os.fork()
    if parent == 0:
        try:
            if by_thread:
                thread = threading.Thread(target=make_child, args=(child, write))
                thread.start()
                thread.join()
            else:
                make_child(child, write)
            os.write(write, b".")
            select.select([], [], [])
        finally:
            os._exit(1)
    data = b""
    while not data.endswith(b"."):
        data += os.read(read, 100)
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    os.close(read)
    os.close(write)
    return int(data.split()[0])


def make_child(child: Callable[[Lifeline, int], None], write: int) -> None:
    lifeline = Lifeline()
    pid = os.fork()
    if pid == 0:
        try:
            child(lifeline, write)
        finally:
            os._exit(0)
    lifeline.hold()
    os.write(write, b"%d " % pid)


def deaf(lifeline: Lifeline, write: int) -> None:
    """A child that looks at nothing."""
    lifeline.bind()
    select.select([], [], [])


def watchful(lifeline: Lifeline, write: int) -> None:
    """A child that polls its end of the lifeline."""
    lifeline.bind()
    select.select([lifeline.fileno()], [], [])


def test_child_of_the_main_thread_is_killed() -> None:
    wait_until_gone([parent_of(deaf)])


def test_child_of_another_thread_lives_as_long_as_the_process() -> None:
    """It must not be killed at the end of the thread; it is told by the pipe."""
    wait_until_gone([parent_of(watchful, by_thread=True)])


def test_child_outlives_the_thread_that_made_it() -> None:
    made: list[tuple[int, Lifeline]] = []

    def make() -> None:
        lifeline = Lifeline()
        pid = os.fork()
        if pid == 0:
            watchful(lifeline, 0)
            os._exit(7)
        lifeline.hold()
        made.append((pid, lifeline))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    ((pid, lifeline),) = made
    assert os.waitpid(pid, os.WNOHANG) == (0, 0)
    lifeline.release()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


def test_fork_is_unsafe_beside_threads() -> None:
    program = """
import threading
from concurrent_framework.launch.lifeline import fork_is_safe
print(fork_is_safe())
end = threading.Event()
thread = threading.Thread(target=end.wait)
thread.start()
print(fork_is_safe())
end.set()
thread.join()
"""
    output = subprocess.check_output([sys.executable, "-c", program], text=True)
    expected = ["True", "False"] if sys.platform.startswith("linux") else ["False", "False"]
    assert output.split() == expected
    assert fork_is_safe() in (True, False)


def test_name_of_a_process() -> None:
    program = """
from concurrent_framework.launch.lifeline import name_process
name_process("a name that is far too long")
print(open("/proc/self/comm").read())
"""
    output = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert output.strip() == "a name that is "[:15].strip()
    assert callable(name_process)
