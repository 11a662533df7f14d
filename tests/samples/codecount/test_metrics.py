"""Counts of Python sources."""

from __future__ import annotations

import pytest

from concurrent_framework.samples.codecount.metrics import Counts, count


@pytest.mark.parametrize(
    ("body", "complexity"),
    [
        ("pass", 1),
        ("if a: pass", 2),
        ("if a: pass\n  else: pass", 2),
        ("if a: pass\n  elif b: pass\n  else: pass", 3),
        ("for x in a: pass", 2),
        ("while a: pass", 2),
        ("return 1 if a else 2", 2),
        ("return a and b and c", 3),
        ("return a and b or c", 3),
        ("assert a", 2),
        ("with a: pass", 1),
        ("try: pass\n  except A: pass\n  except B: pass\n  finally: pass", 3),
        ("return [x for x in a]", 2),
        ("return {x: y for x in a if x for y in x if y if x}", 6),
        ("match a:\n    case 1: pass\n    case B(): pass\n    case _: pass", 3),
        ("match a:\n    case x if x: pass\n    case 1 | 2: pass\n    case y: pass", 3),
        ("return lambda x: x or a", 2),
    ],
)
def test_complexity_is_one_more_than_the_decisions(body: str, complexity: int) -> None:
    counts = count(f"def f(a):\n  {body}\n".encode())
    assert (counts.worst, counts.worst_name) == (complexity, "f")
    assert counts.complexity == complexity + 1, "the module itself is one more path"


def test_an_inner_function_counts_for_itself() -> None:
    source = b"""
class Shelf:
    size = 3 if WIDE else 2
    async def sort(self):
        def key(book):
            return book.title or book.author or ""
        async for book in self:
            pass
    class Book:
        pass
if Shelf:
    print()
"""
    assert count(source) == Counts(
        lines=12,
        functions=2,
        classes=2,
        complexity=3 + 2 + 3,  # sort has 2, key has 3; the rest is the module's
        worst=3,
        worst_name="Shelf.sort.key",
    )


def test_an_empty_source_is_one_path() -> None:
    assert count(b"") == Counts(0, 0, 0, 1, 0, "")


def test_encodings_are_those_the_source_declares() -> None:
    assert count("# coding: latin-1\nname = 'Zoë'\n".encode("latin-1")).lines == 2
    assert count("name = 'Zoë'\n".encode("utf-8-sig")).lines == 1


@pytest.mark.parametrize("source", [b"print 'x'\n", b"# coding: klingon\n", b"x = '\xff'\n"])
def test_what_is_no_python_of_today_is_a_syntax_error(source: bytes) -> None:
    with pytest.raises(SyntaxError):
        count(source)


def test_warnings_about_a_source_are_not_ours() -> None:
    assert count(b"x = '\\d'\nassert (x, 'always')\n").lines == 2
