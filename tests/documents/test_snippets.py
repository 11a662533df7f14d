"""Components that guides show can be defined as they stand there."""

from __future__ import annotations

import re
from typing import Any

import pytest

from concurrent_framework.components import Component, ComponentManager
from concurrent_framework.model.resources import Resources
from concurrent_framework.scheduling.base import IScheduleStrategy, Request, WorkerView
from tests.architecture.source import ROOT

GUIDES = ROOT / "docs" / "guides"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SNIPPETS = [
    (f"{name}-{number}", text)
    for name in ("plugins", "environments")
    for number, text in enumerate(BLOCK.findall((GUIDES / f"{name}.md").read_text("utf-8")))
]


@pytest.mark.parametrize("text", [text for _, text in SNIPPETS], ids=[name for name, _ in SNIPPETS])
def test_a_snippet_defines_components(text: str) -> None:
    scope: dict[str, Any] = {"__name__": "snippet"}
    exec(compile(text, "snippet", "exec"), scope)
    defined = [
        one for one in scope.values() if isinstance(one, type) and one.__module__ == "snippet"
    ]
    assert any(issubclass(one, Component) for one in defined)


def test_the_strategy_of_the_guide_places() -> None:
    scope: dict[str, Any] = {"__name__": "snippet"}
    exec(SNIPPETS[0][1], scope)
    strategy = ComponentManager(components=[scope["Pack"]]).get(IScheduleStrategy, "pack")
    workers = [WorkerView(1, 4, 4, 0.0, 0.0), WorkerView(2, 1, 4, 3.0, 9.0)]
    placements = strategy.place(Request(3, Resources(), None), workers)
    assert [tuple(one) for one in placements] == [(2, 1), (1, 2)]
