from __future__ import annotations

import pytest

from concurrent_framework.code.imports import imports, possible_imports

SOURCE = b'''
"""from docstring import nothing"""
import os.path as p, json
import (wrong)
'''
VALID = b'''
"""Text: import prose from here."""
import os.path as p, json; import semi
from first.second import third
from . import sibling
from .relative import thing
from parent import (
    one,
    two,
)
try:
    import tried
except ImportError:
    tried = None
def function():
    import \\
        continued
    if True: from lonely import x
class A:
    import in_class, \\
        second_in_class
'''


def test_every_form_of_import_is_found() -> None:
    expected = {
        *("os", "json", "semi", "first", "parent", "tried", "continued", "lonely"),
        *("in_class", "second_in_class"),
    }
    assert imports(VALID) == expected
    assert possible_imports(VALID) >= expected


@pytest.mark.parametrize("source", [SOURCE, b"\x00", b"\xff\xfe", b"def"])
def test_what_is_not_python_imports_nothing(source: bytes) -> None:
    assert imports(source) == frozenset()
    possible_imports(source)


PROSE = b'''
"""Moves things from warehouse to shop; see import duties.

Lines of it may begin so:
from there it is near
"""
# import comment
text = "import words, from phrases"
'''


def test_prose_inside_a_line_is_no_guess() -> None:
    assert possible_imports(PROSE) == {"there"}


@pytest.mark.parametrize(
    "source",
    [
        b"\xef\xbb\xbfimport wanted\n",
        b"x = 1\rimport wanted\rx = 2",
        b"x = 1\r\nimport wanted\r\n",
        b"if x: import wanted",
        b"\x0cfrom wanted import thing",
        b"try:\n\tfrom wanted.deep import (\n\t\tthing)\nfinally: pass",
        b"x = 1; from wanted import *",
        b"class A: x = 1; import other, wanted as w",
    ],
)
def test_a_statement_is_seen_wherever_it_may_begin(source: bytes) -> None:
    assert "wanted" in imports(source)
    assert possible_imports(source) >= imports(source)
