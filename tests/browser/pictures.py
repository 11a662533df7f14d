"""Takes pictures of every page of the dashboard of a real cluster that works: `make pictures`.

Those that the documentation shows go to docs/images; ``python -m tests.browser.pictures DIRECTORY``
takes all of them: every page, light and dark, on a desk and on a phone.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Literal, NamedTuple

from playwright.sync_api import sync_playwright

from concurrent_framework.api import Client
from concurrent_framework.api.access import read_access
from tests.browser.conftest import FLAGS
from tests.browser.window import Window
from tests.cluster.place import Place
from tests.cluster.swarm import Swarm

IMAGES = Path("docs/images")
LOAD = Path(__file__).parent / "load"
WORKERS = {"lab-1": 4, "lab-2": 4, "lab-3": 2, "attic": 2, "render-1": 6}
WARM = 100.0
"""Seconds of work before the first picture, so that charts have something to show."""
SETTLE = 3.0
"""Seconds for which a page is open before its picture is taken: charts move, and rates need two looks."""
PATIENCE = 120_000
"""Milliseconds."""


class Size(NamedTuple):
    """Of a window, in pixels."""

    name: str
    width: int
    height: int
    scale: int


DESK = Size("desk", 1440, 1024, 1)
PHONE = Size("phone", 390, 844, 2)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


class Shot(NamedTuple):
    """A picture: of which page, and what is clicked on before."""

    name: str
    path: str
    clicks: Sequence[str] = ()


SHOTS = (
    Shot("overview", "/"),
    Shot("nodes", "/nodes"),
    Shot("applications", "/applications", ("text=Ended too",)),
    Shot("application", "/applications/{number}"),
    Shot("stream", "/stream"),
    Shot("failures", "/failures", (".fold >> nth=0",)),
    Shot("statistics", "/statistics"),
    Shot("configuration", "/configuration"),
    Shot("api", "/api", ("[data-method='tasks.list']",)),
)
DOCUMENTED = {
    ("overview", DESK, "light"): "overview",
    ("overview", DESK, "dark"): "dark",
    ("application", DESK, "light"): "application",
    ("stream", DESK, "light"): "stream",
    ("failures", DESK, "light"): "failures",
    ("overview", PHONE, "dark"): "phone",
}
"""Pictures that the documentation shows, and how they are called there."""


@contextmanager
def cluster() -> Iterator[Swarm]:
    """Start a master with workers, and applications that work."""
    with tempfile.TemporaryDirectory(prefix="c") as name:
        place = Place(Path(name))
        try:
            swarm = Swarm(place, "push", "api.port=0")
            for worker, executors in WORKERS.items():
                swarm.add_worker(worker, executors=executors)
            for program in sorted(LOAD.glob("*.py")):
                copy = shutil.copy(program, place.root)
                place.start("run", str(copy), "--quiet", "--join", swarm.endpoint)
            yield swarm
        finally:
            place.close()


@contextmanager
def window(size: Size) -> Iterator[Window]:
    """Open a browser."""
    with tempfile.TemporaryDirectory(prefix="c") as name, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            name,
            executable_path=shutil.which("chromium"),
            headless=True,
            args=list(FLAGS),
            viewport={"width": size.width, "height": size.height},
            device_scale_factor=size.scale,
            is_mobile=size is PHONE,
            has_touch=size is PHONE,
        )
        opened = Window(context)
        opened.page.set_default_timeout(PATIENCE)
        yield opened
        context.close()


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", nargs="?", type=Path, help="take all, into this directory")
    parser.add_argument("--only", default="", help="pages whose name contains this")
    parser.add_argument("--warm", type=float, default=WARM, help="seconds before the first picture")
    options = parser.parse_args()
    with cluster() as swarm:
        (directory,) = swarm.place.runtime.glob("concurrent/m-*")
        access = read_access(directory)
        assert access is not None
        client, running = Client(access.url, access.token), {}
        while "WingSweep" not in running:
            found = client.applications.list()["applications"]
            running = {one["name"]: one["application"] for one in found}
        for size in (DESK, PHONE):
            with window(size) as browser:
                browser.open(access.link)
                browser.page.wait_for_timeout(1000 * options.warm if size is DESK else 0)
                for scheme, shot in product(SCHEMES, SHOTS):
                    name = DOCUMENTED.get((shot.name, size, scheme), "")
                    if options.directory:
                        name = f"{shot.name}-{size.name}-{scheme}"
                    if options.only not in shot.name or not name:
                        continue
                    browser.page.emulate_media(color_scheme=scheme)
                    take(browser, shot, f"{access.url}/dashboard", running["WingSweep"])
                    folder = options.directory or IMAGES
                    folder.mkdir(parents=True, exist_ok=True)
                    path = folder / f"dashboard-{name}.png"
                    browser.page.screenshot(path=path, full_page=bool(options.directory))


def take(browser: Window, shot: Shot, root: str, number: int) -> None:
    """Open a page and click on it."""
    browser.open(root + shot.path.format(number=number))
    for click in shot.clicks:
        browser.page.locator(click).first.click()
    browser.page.mouse.move(0, 0)
    browser.page.wait_for_timeout(1000 * SETTLE)


if __name__ == "__main__":
    main()
