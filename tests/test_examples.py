"""Every example in a docstring runs and prints what it says."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest

from tests.architecture.source import module_of, source_files

WITH_EXAMPLES = [
    module_of(path) for path in source_files() if "    >>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_in_docstrings(module: str) -> None:
    result = doctest.testmod(import_module(module))
    assert result.failed == 0, "see the output above"
