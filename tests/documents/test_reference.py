"""The reference page of the configuration is what the code says."""

from __future__ import annotations

from concurrent_framework.components import ComponentManager
from concurrent_framework.config.reference import reference
from concurrent_framework.environment import Environment
from concurrent_framework.launch.builtin import BUILTIN
from tests.architecture.source import ROOT

PAGE = ROOT / "docs" / "reference" / "configuration.md"


def test_the_page_lists_every_option() -> None:
    built_in = ComponentManager(components=[*BUILTIN, Environment])
    assert PAGE.read_text(encoding="utf-8") == reference(built_in.describe_options()), (
        "run `concurrent config --reference > docs/reference/configuration.md`"
    )
