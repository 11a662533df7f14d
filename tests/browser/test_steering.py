"""Steering by the dashboard: what is clicked happens, as the API tells."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from concurrent_framework.api import Client
from concurrent_framework.api.access import Access
from tests.api.steered import Work
from tests.browser.window import Window
from tests.cluster.place import until
from tests.cluster.swarm import Swarm


@pytest.fixture(scope="module")
def root(window: Window, access: Access) -> str:
    """The dashboard's address; the window has shown the token."""
    window.open(access.link)
    return f"{access.url}/dashboard"


@pytest.fixture
def held(swarm: Swarm, client: Client, root: str) -> Iterator[Work]:
    """Six tasks on four executors."""
    held = Work(swarm, client, 6)
    until(lambda: held.shown["assigned"] == 4)
    yield held
    held.end()


def test_a_node_is_drained_and_resumed(
    window: Window, root: str, client: Client, held: Work
) -> None:
    window.open(f"{root}/nodes")
    window.page.get_by_label("Drain w1", exact=True).click()
    until(lambda: client.nodes.show(worker="w1")["state"] == "draining")
    window.says("tbody tr .pill.warn", "draining")
    held.let(*range(4))
    until(lambda: client.nodes.show(worker="w1")["state"] == "drained")
    until(lambda: client.nodes.show(worker="w2")["tasks"] == 2)
    window.says("tbody tr .pill.warn", "drained")
    assert window.page.get_by_label("Drain w1", exact=True).count() == 0
    window.page.get_by_label("Resume w1", exact=True).click()
    until(lambda: client.nodes.show(worker="w1")["state"] == "active")
    window.page.get_by_label("Drain w1", exact=True).wait_for()
    window.says("tbody tr .pill.good", "active")


def test_a_node_is_removed_after_a_question(
    window: Window, root: str, client: Client, swarm: Swarm
) -> None:
    other = swarm.add_worker("w3")
    window.open(f"{root}/nodes")
    window.page.get_by_label("Remove w3", exact=True).click()
    window.page.get_by_role("button", name="Not now").click()
    window.page.get_by_role("button", name="Not now").wait_for(state="detached")
    assert client.nodes.list()["total"] == 3
    window.page.get_by_label("Remove w3", exact=True).click()
    window.page.locator(".ask").get_by_role("button", name="Remove").click()
    assert other.ends().code == 4
    swarm.workers.pop("w3")
    window.until("document.querySelectorAll('tbody tr').length === 2")


def test_an_application_is_paused_and_resumed(
    window: Window, root: str, client: Client, held: Work
) -> None:
    window.open(f"{root}/applications/{held.number}")
    assert not window.page.get_by_role("button", name="Resume", exact=True).is_visible()
    window.page.get_by_role("button", name="Pause", exact=True).click()
    window.says(".head .pill.warn", "paused")
    assert held.shown["paused"]
    held.let(*range(4))
    until(lambda: held.shown["failed"] == 4)
    assert (held.shown["waiting"], held.shown["assigned"]) == (2, 0)
    window.open(f"{root}/applications")
    window.says("tbody tr .pill.warn", "paused")
    window.open(f"{root}/applications/{held.number}")
    window.page.get_by_role("button", name="Resume", exact=True).click()
    until(lambda: held.shown["assigned"] == 2)
    window.says(".head .pill.good", "running")
    assert not held.shown["paused"]


def test_a_failed_task_is_read_while_others_fail_and_retried(
    window: Window, root: str, client: Client, held: Work
) -> None:
    held.let(0)
    until(lambda: client.failures.list(application=held.number)["total"] == 1)
    window.open(f"{root}/failures")
    failed = window.page.locator(f"[data-task='{held.key(0)}']")
    failed.locator(".q-item").click()
    held.let(1)
    until(lambda: client.failures.list(application=held.number)["total"] == 2)
    total = client.failures.list()["total"]  # also those of earlier tests
    window.says(".pager", f"{total} failures; newer ones are listed when all are folded")
    failed.get_by_role("button", name="Retry").wait_for()
    failed.locator(".q-item").click()
    window.page.locator(f"[data-task='{held.key(1)}']").wait_for()
    failed.locator(".q-item").click()
    (held.gate / "healed").touch()
    failed.get_by_role("button", name="Retry").click()
    window.says(".q-notification", "is attempted again")
    failed.get_by_role("button", name="Retry").wait_for(state="hidden")
    window.says(f"[data-task='{held.key(0)}'] .what", "attempted again as")
    window.page.get_by_text(re.compile("[0-9] failures$")).wait_for()
    held.let(*range(6))
    until(lambda: client.applications.outcome(application=held.number)["finished"] == 5)
