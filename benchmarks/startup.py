"""Time from `concurrent run hello.py` to `Hello World`, next to the same with loky, in one run."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import Figure, median_seconds

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


def measure() -> list[Figure]:
    """Return how long each takes, and the ratio."""
    with TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "hello.py").write_text(HELLO, encoding="utf-8")
        (directory / "with_loky.py").write_text(LOKY, encoding="utf-8")
        concurrent = str(Path(sys.executable).with_name("concurrent"))
        ours = median_seconds([concurrent, "run", "hello.py"], directory, "Hello World", ROUNDS)
        theirs = median_seconds([sys.executable, "with_loky.py"], directory, "Hello World", ROUNDS)
    return [
        Figure("concurrent run hello.py", f"{ours:.2f} s", "", reached=True),
        Figure("the same with loky", f"{theirs:.2f} s", "", reached=True),
        Figure("ratio", f"{ours / theirs:.2f}", "< 3", reached=ours < 3 * theirs),
    ]
