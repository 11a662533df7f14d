"""The names that programs import: each is there, and type checkers see the same ones."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import concurrent_framework


def for_type_checkers() -> set[str]:
    tree = ast.parse(Path(str(concurrent_framework.__file__)).read_text(encoding="utf-8"))
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.name for node in imports for alias in node.names}


@pytest.mark.parametrize("name", concurrent_framework.__all__)
def test_each_public_name_can_be_imported(name: str) -> None:
    assert getattr(concurrent_framework, name).__name__ in (name, "task")


def test_type_checkers_and_programs_see_the_same_names() -> None:
    assert for_type_checkers() == set(concurrent_framework.__all__)
    assert set(concurrent_framework.__all__) < set(dir(concurrent_framework))


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        concurrent_framework.Nothing  # noqa: B018 (the look-up is the test)
