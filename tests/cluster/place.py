"""Real processes of ours, each in a session of its own, in a place that no other test shares."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import psutil

from tests.cluster.warm import warm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.cluster.warm import Process

COMMAND = str(Path(sys.executable).with_name("concurrent"))
PATIENCE = 20.0
"""Seconds after which something that should happen has not happened: the test fails then."""
MARK = "CONCURRENT_TEST_PLACE"
"""A variable that marks all processes of a place, however they were started or abandoned."""


def until(happened: Callable[[], object], what: object = "it", patience: float = PATIENCE) -> None:
    """Wait until something has happened; fail if it does not."""
    end = time.monotonic() + patience
    while not happened():
        if time.monotonic() > end:
            shown = what() if callable(what) else what
            message = f"waited {patience:g} s in vain for {shown}"
            raise AssertionError(message)
        time.sleep(0.003)


class HungError(BaseException):
    """Something in this process did not end."""


@contextmanager
def bounded(what: str, patience: float = 2 * PATIENCE) -> Iterator[None]:
    """Fail if what happens in here, in the main thread, takes too long."""

    def interrupt(_number: int, _frame: object) -> NoReturn:
        message = f"waited {patience:g} s in vain for {what}"
        raise HungError(message)

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, patience)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Running:
    """A process whose output is readable while it runs."""

    def __init__(self, words: Sequence[str], process: Process, log: Path) -> None:
        self.words = words
        self.process = process
        self._out = log.with_suffix(".out")
        self._err = log.with_suffix(".err")

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def out(self) -> str:
        return self._out.read_text(encoding="utf-8", errors="replace")

    @property
    def err(self) -> str:
        return self._err.read_text(encoding="utf-8", errors="replace")

    def says(self, text: str) -> None:
        """Wait until it has written this."""

        def said() -> bool:
            return text in self.out or text in self.err

        until(
            lambda: said() or self.process.poll() is not None,
            lambda: f"{text!r} of {self}",
        )
        assert said(), f"{self} ended without saying {text!r}"

    def interrupt(self) -> None:
        """Do what a terminal does at Ctrl-C: signal the whole process group, if it is still there."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGINT)

    def kill(self) -> None:
        """Kill the process itself, without a chance to clean up."""
        self.process.kill()

    def ends(self, patience: float = PATIENCE) -> Done:
        """Wait for its end."""
        until(lambda: self.process.poll() is not None, lambda: f"the end of {self}", patience)
        return Done(self.process.wait(), self.out, self.err)

    def __repr__(self) -> str:
        state = self.process.poll()
        return f"<{' '.join(self.words[1:])} {state=}\n{self.out}\n--- stderr\n{self.err}>"


class Place:
    """Where a cluster lives: its registry, its keys, and the marks of its processes.

    Args:
        root: a directory with a short path, for what belongs to the user who runs things here.

    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.runtime = root / "run"
        self.home = root / "home"
        self.logs = root / "logs"
        self.empty = root / "empty"
        for folder in (self.runtime, self.home, self.logs, self.empty):
            folder.mkdir(mode=0o700)
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG"}}
        self.environ = {
            **kept,
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "CONCURRENT_HOME": str(self.home),
            "TMPDIR": str(root),
            MARK: str(root),
        }
        self._started: list[Running] = []

    def start(self, *words: str, directory: Path | None = None, **environ: str) -> Running:
        """Start ``concurrent WORDS``, in an empty directory unless another is given."""
        forking = warm()
        if forking is None or any(name.startswith("PYTHON") for name in environ):
            return self.start_program([COMMAND, *words], directory, **environ)
        log = self._next_log()
        where = directory or self.empty
        process = forking.start([*words], where, {**self.environ, **environ}, log)
        return self._keep(Running([COMMAND, *words], process, log))

    def start_program(
        self, words: Sequence[str], directory: Path | None = None, **environ: str
    ) -> Running:
        """Start any program."""
        log = self._next_log()
        with log.with_suffix(".out").open("wb") as out, log.with_suffix(".err").open("wb") as err:
            process = subprocess.Popen(
                words,
                cwd=directory or self.empty,
                env={**self.environ, **environ},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        return self._keep(Running(words, process, log))

    def _next_log(self) -> Path:
        log = self.logs / str(len(self._started))
        for suffix in (".out", ".err"):
            log.with_suffix(suffix).touch()
        return log

    def _keep(self, running: Running) -> Running:
        self._started.append(running)
        return running

    def run(self, *words: str, directory: Path | None = None, **environ: str) -> Done:
        """Run ``concurrent WORDS`` to its end."""
        return self.start(*words, directory=directory, **environ).ends()

    def run_python(self, *words: str, directory: Path | None = None, **environ: str) -> Done:
        """Run a Python program to its end."""
        return self.start_program([sys.executable, *words], directory, **environ).ends()

    def processes(self) -> list[psutil.Process]:
        """Return the living processes that carry the mark of this place."""
        return [one for one in psutil.process_iter() if _mark_of(one) == str(self.root)]

    def expect_nothing_left(self) -> None:
        """Fail if a process, a socket or a directory of a run is left behind."""
        self.expect_no_process()
        left = [str(one) for one in self.runtime.glob("concurrent/*")]
        left += [str(one) for one in self.root.glob("concurrent*")]
        assert not left, f"left behind: {left}"

    def expect_no_process(self) -> None:
        """Fail if a process does not end soon."""
        end = time.monotonic() + 5.0
        while there := self.processes():
            assert time.monotonic() < end, f"waited 5 s in vain for the end of {self._describe()}"
            _wait_for_one(there, end - time.monotonic())

    def close(self) -> None:
        """Kill whatever is left."""
        while there := self.processes():
            for process in there:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            _wait_for_one(there, 1.0)
        for running in self._started:
            running.process.wait()

    def _describe(self) -> str:
        return ", ".join(f"{one.pid} {one.name()} {one.status()}" for one in self.processes())


def _wait_for_one(processes: Sequence[psutil.Process], patience: float) -> None:
    """Return soon after one of them has ended, whosever child it is; looking at all is dear."""
    if not hasattr(os, "pidfd_open"):
        time.sleep(0.003)
        return
    fds: list[int] = []
    try:
        fds.extend(os.pidfd_open(process.pid) for process in processes)
        select.select(fds, [], [], max(patience, 0.0))
    except ProcessLookupError:
        return
    finally:
        for fd in fds:
            os.close(fd)


def _mark_of(process: psutil.Process) -> str:
    try:
        return process.environ().get(MARK, "")  # one that has ended has no environment left
    except (psutil.Error, OSError):
        return ""
