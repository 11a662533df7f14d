"""Time from `concurrent run hello.py` to `Hello World`, next to the same with loky, in one run."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.own.goal import HEAD, Figure
from benchmarks.own.measure import TITLES, OwnFound

if TYPE_CHECKING:
    from collections.abc import Sequence

ROUNDS = 7
HELLO = """
from concurrent_framework import ApplicationNode, IApp, Task, implements

class Hello(Task):
    def __call__(self):
        return "Hello World"

class HelloApp(ApplicationNode):
    implements(IApp)
    def start_processing(self):
        self.push_task(Hello())
    def task_finished(self, task, result, error):
        self.log.info(result)
        self.shutdown_main_loop()
"""
LOKY = """
from loky import get_reusable_executor

def hello():
    return "Hello World"

if __name__ == "__main__":
    print(get_reusable_executor(max_workers=2).submit(hello).result())
"""


def seconds(command: Sequence[str], directory: Path) -> float:
    """Return the time a command takes; it must say hello."""
    began = time.perf_counter()
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    took = time.perf_counter() - began
    if done.returncode or "Hello World" not in done.stdout:
        message = f"{' '.join(command)} printed {done.stdout!r} {done.stderr!r}"
        raise RuntimeError(message)
    return took


def measure(settings: Sequence[str], *, quick: bool) -> OwnFound:
    """Return how long each takes, and the ratio."""
    with TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "hello.py").write_text(HELLO, encoding="utf-8")
        (directory / "with_loky.py").write_text(LOKY, encoding="utf-8")
        concurrent = str(Path(sys.executable).with_name("concurrent"))
        options = [word for setting in settings for word in ("--set", setting)]
        with_concurrent = [concurrent, "run", *options, "hello.py"]
        with_loky = [sys.executable, "with_loky.py"]
        pairs = [
            (seconds(with_concurrent, directory), seconds(with_loky, directory))
            for _ in range(1 if quick else ROUNDS)
        ]
    ours, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
    figures = [
        Figure("concurrent run hello.py", f"{ours:.2f} s"),
        Figure("the same with loky", f"{theirs:.2f} s"),
        Figure("ratio", f"{ours / theirs:.2f}", "< 3", reached=ours < 3 * theirs),
    ]
    return OwnFound(
        "startup",
        TITLES["startup"],
        f"From the command to its end, in turns; medians of {len(pairs)}.",
        HEAD,
        [figure.row for figure in figures],
    )
