"""Static analysis: which top-level modules a source imports, wherever in it the import stands."""

from __future__ import annotations

import re
from functools import lru_cache

_CLUE = re.compile(
    rb"(?:^(?:\xef\xbb\xbf)?|[;:\r])[ \t\f]*"  # where a statement may begin
    rb"(?:from[ \t]+([\w.]+)|import[ \t]+((?:[\w., \t]|\\\r?\n)+))",
    re.MULTILINE,
)
_NAME = re.compile(rb"\w+")


@lru_cache(maxsize=2048)
def possible_imports(source: bytes) -> frozenset[str]:
    """Return every name that may be an imported top-level module: quick, and rather too many."""
    names: set[bytes] = set()
    for origin, listed in _CLUE.findall(source):
        names.add(origin.partition(b".")[0])
        names.update(found.group() for item in listed.split(b",") if (found := _NAME.search(item)))
    return frozenset(name.decode("utf-8", "replace") for name in names if name)


@lru_cache(maxsize=2048)
def imports(source: bytes) -> frozenset[str]:
    r"""Return the top-level modules a source imports; none if it is not valid Python.

    Imports relative to the module's own package are left out.

    Example:
        >>> sorted(imports(b"import os.path, json\ndef f():\n    from helpers import x\n"))
        ['helpers', 'json', 'os']

    """
    import ast

    names: set[str] = set()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return frozenset()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return frozenset(names)
