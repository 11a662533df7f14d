"""Tasks that behave in every way a task may behave."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from concurrent_framework.tasks.current import current_task
from concurrent_framework.tasks.task import Task


class Call(Task):
    """Calls a function of this module by name: what most tests need."""

    def __init__(self, function: str, *arguments: Any) -> None:
        super().__init__(function)
        self.function = function
        self.arguments = arguments

    def __call__(self) -> Any:
        return globals()[self.function](*self.arguments)


class Same(Call):
    """The same as another spec."""


class Changes(Task):
    """Rebinds, adds and deletes attributes."""

    def __init__(self) -> None:
        super().__init__("changes")
        self.kept = [1]
        self.data = "large"
        self.doomed = True

    def __call__(self) -> tuple[Any, ...]:
        self.kept.append(2)
        self.found = 5
        del self.doomed
        return self.task_id, self.slave_id, self.client_id

    def clean_up(self) -> None:
        self.data = ""


class FailsAfterChange(Task):
    def __call__(self) -> None:
        self.progressed = 7
        raise ValueError("no")


class FailsToCleanUp(Task):
    def __call__(self) -> str:
        return "done"

    def clean_up(self) -> None:
        raise KeyError("gone")


class Slotted(Task):
    __slots__ = ("x",)

    def __init__(self, x: int) -> None:
        super().__init__("slotted")
        self.x = x

    def __call__(self) -> int:
        self.x += 1
        return self.x


class Keeps(Task):
    """Ends with an attribute that cannot be pickled."""

    def __call__(self) -> None:
        self.lock = threading.Lock()


class Parent(Task):
    """Makes tasks."""

    def __init__(self, count: int, *, fail: bool = False) -> None:
        super().__init__("parent")
        self.count = count
        self.fail = fail

    def __call__(self) -> None:
        current_task().push_tasks(Call("add", n, 1) for n in range(self.count))
        current_task().push_task(Changes())
        if self.fail:
            raise ValueError("no children then")


def add(a: int, b: int) -> int:
    return a + b


def pid() -> int:
    return os.getpid()


def block(size: int) -> bytes:
    return b"x" * size


def length(data: bytes) -> int:
    return len(data)


def wait(path: str = "") -> None:
    """Wait for a file, or for ever."""
    while not path or not Path(path).exists():
        time.sleep(0.005)


def touch_and_wait(path: str, end: str = "") -> None:
    Path(path).touch()
    wait(end)


def note(path: str, text: str) -> None:
    """Append a line to a file, atomically."""
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, f"{text}\n".encode())
    os.close(fd)


def burn(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def boom(text: str) -> None:
    print("about to fail", file=sys.stderr)
    raise ValueError(text)


def leave(code: Any) -> None:
    sys.exit(code)


def interrupt() -> None:
    raise KeyboardInterrupt


def hard_exit(code: int) -> None:
    print("last words", file=sys.stderr)
    os._exit(code)


def crash() -> None:
    ctypes.string_at(0)


def kill_self(number: int = signal.SIGKILL) -> None:
    os.kill(os.getpid(), number)


def kill_parent() -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)


def unpicklable() -> Any:
    return {"a": [1, threading.Lock()]}


def eat(size: int) -> None:
    hoard = bytearray(size)
    for index in range(0, size, 4096):
        hoard[index] = 1
    time.sleep(60)


def eat_in_child(size: int) -> None:
    program = (
        f"import time; x = bytearray({size}); x[::4096] = b'1' * len(x[::4096]); time.sleep(60)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def say(text: str, stream: str = "stdout", end: str = "\n") -> None:
    print(text, file=getattr(sys, stream), end=end)


def say_and_wait(text: str, path: str) -> None:
    print(text)
    wait(path)


def shell(command: str) -> int:
    return subprocess.call(["/bin/sh", "-c", command])


def shell_in_own_session(command: str, path: str) -> None:
    child = subprocess.Popen(["/bin/sh", "-c", command], start_new_session=True)
    Path(path).write_text(str(child.pid))
    Path(path + ".done").touch()
    wait()


def log(level: str, text: str) -> None:
    getattr(current_task().log, level)(text)


def speak_and_wait(path: str) -> None:
    """Say something twice at once, more than is sent at once, and nothing from then on."""
    for number in (1, 2):
        current_task().progress(number, 2)
        current_task().log.warning("said %d", number)
    while not Path(path).exists():
        time.sleep(0.003)


def progress(steps: int) -> None:
    for step in range(steps):
        current_task().progress(step + 1, steps, f"step {step + 1}")


def until_cancelled(path: str) -> str:
    Path(path).touch()
    while not current_task().cancelled:
        time.sleep(0.005)
    return "noticed"


def scratch() -> str:
    folder = current_task().scratch
    (folder / "file").write_text("x")
    os.chdir(folder)
    return str(folder)


def where() -> str:
    return os.getcwd()


def environment(name: str) -> str | None:
    return os.environ.get(name)


def replace_stdout() -> None:
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115


def fork_and_return(path: str) -> str:
    """Leave a child behind that comes back from the task, too."""
    child = os.fork()
    if child == 0:
        time.sleep(0.3)
        print("the child prints")
        note(path, "child")
        return "child"
    os.waitpid(child, 0)
    return "parent"


def pool_of_processes(count: int) -> list[int]:
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.map(print_and_square, range(count))


def print_and_square(number: int) -> int:
    print("number", number)
    time.sleep(0.25)
    return number**2


def threads_that_talk(count: int) -> None:
    current = current_task()

    def talk(number: int) -> None:
        for step in range(200):
            current.log.info("thread %d step %d", number, step)
            current.progress(step, 200)
            print("printed", number, step)

    threads = [threading.Thread(target=talk, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def chatter(number: int) -> int:
    """Do a bit of everything that leads to messages."""
    if number % 3 == 0:
        print("chatter", number)
    if number % 5 == 0:
        current_task().log.info("logged %d", number)
    if number % 7 == 0:
        current_task().progress(number)
    return number


def flood_with_signals(pids: list[int], path: str) -> None:
    """Send the executor's nudge as often as possible until a file exists."""
    while not Path(path).exists():
        for _ in range(200):
            for one in pids:
                os.kill(one, signal.SIGURG)


def ignores_interrupts() -> bool:
    os.kill(os.getpid(), signal.SIGINT)
    program = "import signal; print(signal.getsignal(signal.SIGINT) is not signal.SIG_IGN)"
    return subprocess.check_output([sys.executable, "-c", program]) == b"True\n"


def random_numbers() -> list[float]:
    inherited = sys.modules["numpy.random"]
    return [random.random(), float(inherited.random())]


def count_checkpoints(number: int, path: str) -> Any:
    """Make many checkpoints, then wait for a file; or return what an earlier attempt kept last."""
    here = current_task()
    if here.restored is None:
        for step in range(number):
            here.checkpoint({"step": step + 1})
        while not Path(path).exists():
            time.sleep(0.003)
    return here.restored


def checkpoint_then_die(state: Any) -> None:
    current_task().checkpoint(state)
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def checkpoint_in_thread(state: Any) -> None:
    here = current_task()
    thread = threading.Thread(target=here.checkpoint, args=(state,))
    thread.start()
    thread.join()


def restored() -> Any:
    return current_task().restored
