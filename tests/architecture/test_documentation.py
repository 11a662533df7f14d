"""The architecture page shows what the code says."""

from __future__ import annotations

import re

from concurrent_framework.master.lifecycle import diagram
from tests.architecture.source import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text()
JOURNEY = (ROOT / "docs" / "journey-of-a-task.md").read_text()


def test_the_state_diagram_is_that_of_the_table() -> None:
    assert f"```mermaid\n{diagram()}\n```" in PAGE


def test_every_decision_is_listed() -> None:
    records = {path.name for path in (ROOT / "docs" / "decisions").glob("*.md")}
    assert records == set(re.findall(r"\(decisions/(.+?)\)", PAGE))


def test_the_journey_names_files_that_exist() -> None:
    source = ROOT / "src" / "concurrent_framework"
    for name in re.findall(r"`([a-z_]+/[a-z_/]+\.py)(?::[^`]*)?`", JOURNEY):
        assert (source / name).exists(), name


def test_the_journey_names_functions_that_exist() -> None:
    source = ROOT / "src" / "concurrent_framework"
    for name, function in re.findall(r"`([a-z_/]+\.py): ([a-z_]+)`", JOURNEY):
        assert f"def {function}(" in (source / name).read_text(), f"{name}: {function}"


def test_every_package_is_in_the_tree() -> None:
    packages = {path.parent.name for path in (ROOT / "src/concurrent_framework").glob("*/*.py")}
    listed = set(re.findall(r"^  ([a-z]+)/", PAGE, re.MULTILINE))
    assert packages == listed
