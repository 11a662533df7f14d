"""The dashboard of a real master with real workers, as a person sees it in a browser."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from concurrent_framework.api import Client
from concurrent_framework.api.access import Access
from tests.browser.window import Window
from tests.cluster.place import Place, Running, until

if TYPE_CHECKING:
    from playwright.sync_api import ViewportSize

PAGES = {
    "/": "Overview",
    "/applications": "Applications",
    "/applications/{number}": "Work · {number}",
    "/nodes": "Nodes",
    "/stream": "Task stream",
    "/failures": "Failures",
    "/statistics": "Statistics",
    "/configuration": "Configuration",
    "/api": "API",
}
DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def entered(window: Window, access: Access, work: Running) -> str:
    """The dashboard's address; the window has shown the token."""
    window.open(access.link)
    return f"{access.url}/dashboard"


@pytest.fixture
def root(window: Window, entered: str) -> str:
    """The same, before a window as large as that of a desk."""
    window.page.set_viewport_size(DESK)
    window.forget()
    return entered


@pytest.fixture(scope="module")
def number(client: Client, work: Running) -> int:
    """The application's number."""
    (found,) = client.applications.list()["applications"]
    assert isinstance(found["application"], int)
    return found["application"]


@pytest.fixture
def application(client: Client, number: int) -> dict[str, Any]:
    """What the API says of the application once its quick tasks have ended."""

    def now() -> dict[str, Any]:
        found = client.applications.show(application=number)
        assert isinstance(found, dict)
        return found

    until(lambda: now()["finished"] == 29)
    return now()


def test_the_stream_shows_what_ran(window: Window, root: str, application: dict[str, Any]) -> None:
    window.open(f"{root}/stream")
    window.says(".legend", "Work")
    window.says(".titlebar", "tasks in")


@pytest.mark.parametrize(("path", "title"), PAGES.items())
def test_a_page_opens_without_a_complaint_fits_a_phone_and_asks_nobody_else(
    window: Window, root: str, access: Access, number: int, path: str, title: str
) -> None:
    window.open(f"{root}{path.format(number=number)}")
    window.says("h1", title.format(number=number))
    window.until("document.querySelector('#beat').dataset.beat > 1")
    window.page.set_viewport_size(PHONE)
    window.until(f"document.documentElement.scrollWidth <= {PHONE['width']}")
    assert window.complaints == []
    assert window.hosts == {access.url.removeprefix("http://")}


def test_the_figures_are_those_of_the_api(
    window: Window, root: str, client: Client, application: dict[str, Any]
) -> None:
    window.open(f"{root}/")
    tasks = client.cluster.status()["tasks"]
    window.says("[data-tile=queue] .value", f"{tasks['waiting']}")
    window.says("[data-tile=finished] .value", f"{tasks['finished']}")
    window.says("[data-tile=failed] .value", f"{tasks['failed']}")
    window.says("[data-tile=failed] .note", f"{client.failures.list()['total']} kept")
    window.says("[data-tile=nodes] .value", "2")
    window.open(f"{root}/applications/{application['application']}")
    window.says("[data-tile=finished] .value", f"{application['finished']}")
    window.says("[data-tile=waiting] .note", "of 300 pushed")


def test_nodes_are_listed_and_found(window: Window, root: str, application: dict[str, Any]) -> None:
    window.open(f"{root}/nodes")
    window.says("tbody tr", "w2")
    assert window.page.locator("tbody tr").count() == 2
    window.page.get_by_label("Search nodes").fill("w1")
    window.until("document.querySelectorAll('tbody tr').length === 1")
    window.says("tbody tr", "100 %")


def test_a_failure_tells_its_traceback_and_certificate_as_text(
    window: Window, root: str, number: int
) -> None:
    window.open(f"{root}/failures")
    failed = f"[data-task='{number}/4']"
    window.page.locator(f"{failed} .q-item").click()
    window.says(f"{failed} pre", 'raise ValueError("three is too many <b>")')
    window.says(f"{failed} dl", "worker")


def test_the_explorer_calls_a_method(window: Window, root: str) -> None:
    window.open(f"{root}/api")
    window.page.locator("[data-method='nodes.show']").click()
    window.page.get_by_label("worker", exact=True).fill("w1")
    window.page.get_by_role("button", name="Call").click()
    window.says(".result", '"executors": 2')


def test_its_navigation_opens_on_a_phone(window: Window, root: str) -> None:
    window.page.set_viewport_size(PHONE)
    window.open(f"{root}/")
    window.page.get_by_label("Navigation").click()
    window.page.get_by_role("link", name="Nodes").click()
    window.says("h1", "Nodes")


def test_it_can_be_used_by_keyboard(window: Window, root: str) -> None:
    window.open(f"{root}/")
    window.page.keyboard.press("Tab")
    assert window.page.evaluate("document.activeElement.textContent") == "Skip to the content"
    unnamed = window.page.evaluate(
        "[...document.querySelectorAll('button, a[href], input')]"
        ".filter((one) => !(one.textContent.trim() || one.ariaLabel || one.labels?.length))"
        ".map((one) => one.outerHTML)"
    )
    assert unnamed == []
    window.page.get_by_role("link", name="Nodes", exact=True).focus()
    window.page.keyboard.press("Enter")
    window.says("h1", "Nodes")


def test_the_look_is_kept(window: Window, root: str) -> None:
    window.open(f"{root}/")
    window.page.get_by_label("Look: as the system").click()
    window.page.get_by_label("Look: light").click()
    window.page.get_by_label("Look: dark").wait_for()
    window.open(f"{root}/nodes")
    assert window.page.evaluate("document.body.classList.contains('body--dark')")
    window.page.get_by_label("Look: dark").click()
    window.page.get_by_label("Look: as the system").wait_for()


def test_who_may_only_look_finds_no_button_to_act(
    window: Window, root: str, access: Access, client: Client, number: int
) -> None:
    token = client.tokens.create(role="observe")["token"]
    window.open(f"{access.url}/dashboard/applications/{number}?token={token}")
    window.says("h1", f"Work · {number}")
    assert window.page.get_by_role("button", name="Cancel").count() == 0
    window.open(access.link)


def test_a_task_is_cancelled_and_then_all_of_them(
    window: Window, root: str, client: Client, application: dict[str, Any]
) -> None:
    number = application["application"]
    window.open(f"{root}/applications/{number}")
    window.page.get_by_label(f"Cancel task {number}/40", exact=True).click()
    until(lambda: client.applications.show(application=number)["cancelled"] == 1)
    window.page.get_by_role("button", name="Cancel", exact=True).first.click()
    window.page.get_by_role("button", name="Cancel all").click()
    until(lambda: client.applications.outcome(application=number)["ended"])
    window.says(".head .pill", "ended")
    assert client.applications.outcome(application=number)["cancelled"] == 270


def test_a_dead_master_is_shown_and_one_that_is_back_is_found(
    window: Window, work: Running, place: Place
) -> None:
    """One that other machines may join keeps its tokens from start to start."""
    words = ("master", "--listen", f"tcp://127.0.0.1:{free_port()}")
    first = place.start(*words, "--set", "api.port=0")
    first.says("/?token=")
    link = next(one for one in first.out.split() if "/?token=" in one)
    port = link.partition("/?")[0].rpartition(":")[2]
    window.open(link)
    window.says(".pill", "no workers")
    first.kill()
    first.ends()
    window.skip(5.0)
    window.page.locator(".away.lost").wait_for(state="visible")
    place.expect_no_process()
    again = place.start(*words, "--set", f"api.port={port}")
    again.says("/?token=")
    window.page.locator(".away.lost").wait_for(state="hidden")
    window.says(".pill", "no workers")
    again.interrupt()
    again.ends()
