"""A headless Chromium for each file and one cluster with work for all tests of the dashboard."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from concurrent_framework.api import Client
from concurrent_framework.api.access import Access, read_access
from tests.browser.window import Window
from tests.cluster.place import Place, Running
from tests.cluster.swarm import Swarm

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WORK = """
import time
from concurrent_framework import ApplicationNode, IApp, implements, task

@task
def wait(number):
    if number == 3:
        raise ValueError("three is too many <b>")
    time.sleep(0.05 if number < 30 else 600)

class Work(ApplicationNode):
    implements(IApp)
    def start_processing(self):
        print("working")
        self.push_tasks(wait(number) for number in range(300))
"""


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the browser is; skips, saying what is missing, if there is none."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("Chromium is missing: apt-get install chromium")
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[BrowserContext]:
    """A browser for the tests of a file: as long as it is there, a loop runs in their process."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory(prefix="c") as tmp, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp,
            executable_path=chromium,
            headless=True,
            args=list(FLAGS),
            viewport={"width": 1280, "height": 900},
            reduced_motion="reduce",
        )
        yield context
        context.close()


@pytest.fixture(scope="module")
def window(browser: BrowserContext) -> Iterator[Window]:
    """A page of it."""
    window = Window(browser)
    yield window
    window.close()


@pytest.fixture(scope="session")
def swarm(chromium: str) -> Iterator[Swarm]:
    """A master with two workers; a browser that is missing is told before it is started."""
    del chromium
    with tempfile.TemporaryDirectory(prefix="c") as name:
        place = Place(Path(name))
        try:
            swarm = Swarm(place, "push", "api.port=0")
            swarm.add_worker("w1")
            swarm.add_worker("w2")
            yield swarm
            swarm.stop()
            assert "Traceback" not in swarm.master.err, swarm.master.err
        finally:
            place.close()


@pytest.fixture(scope="session")
def access(swarm: Swarm) -> Access:
    """How to get into that master's API."""
    (directory,) = swarm.place.runtime.glob("concurrent/m-*")
    access = read_access(directory)
    assert access is not None
    return access


@pytest.fixture(scope="session")
def client(access: Access) -> Client:
    """A client of it."""
    return Client(access.url, access.token)


@pytest.fixture(scope="module")
def work(swarm: Swarm, client: Client) -> Iterator[Running]:
    """An application that has done some tasks, of which one failed, and has many to do."""
    program = swarm.place.root / "work.py"
    program.write_text(WORK)
    running = swarm.place.start("run", str(program), "--quiet", "--join", swarm.endpoint)
    for event in client.follow(after="begin-0", kinds=["task.failed"]):
        assert event["kind"] == "task.failed"
        break
    yield running
    if running.process.poll() is None:
        running.interrupt()
        running.ends()


@pytest.fixture
def place() -> Iterator[Place]:
    """A place of the test's own."""
    with tempfile.TemporaryDirectory(prefix="c") as name:
        place = Place(Path(name))
        try:
            yield place
        finally:
            place.close()
