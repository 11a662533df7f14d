"""Small files with one responsibility, and no state without an owner."""

from __future__ import annotations

import ast
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.architecture.source import ROOT, short, source_files, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG = 400
TOO_LONG = 600
NAMES_THAT_SAY_NOTHING = frozenset({"utils.py", "util.py", "helpers.py", "misc.py", "common.py"})
CONTAINERS = frozenset(
    {"list", "dict", "set", "bytearray", "defaultdict", "deque", "OrderedDict", "Counter"}
)
MUTATORS = frozenset(
    {
        "add",
        "append",
        "appendleft",
        "clear",
        "discard",
        "extend",
        "insert",
        "pop",
        "popitem",
        "remove",
        "setdefault",
        "sort",
        "update",
    }
)


class LongFileWarning(UserWarning):
    """A file has grown beyond what one responsibility needs."""


@pytest.mark.filterwarnings("always::tests.architecture.test_files.LongFileWarning")
def test_files_stay_short() -> None:
    too_long = []
    for path in [*source_files(), *sorted((ROOT / "tests").rglob("*.py"))]:
        lines = path.read_text(encoding="utf-8").count("\n")
        name = path.relative_to(ROOT).as_posix()
        if lines > TOO_LONG:
            too_long.append(f"{name} has {lines} lines, {TOO_LONG} at most: split it")
        elif lines > LONG:
            warnings.warn(f"{name} has {lines} lines (over {LONG})", LongFileWarning, stacklevel=1)
    assert not too_long, "\n".join(too_long)


def test_file_names_say_what_is_inside() -> None:
    wrong = [short(path) for path in source_files() if path.name in NAMES_THAT_SAY_NOTHING]
    assert not wrong, f"name these after what they hold: {wrong}"


def test_no_state_lives_in_module_globals() -> None:
    """A container at module level is a constant: it is named like one and nothing changes it."""
    wrong = [
        f"{short(path)}:{line} {name}: {why}"
        for path in source_files()
        for line, name, why in _global_state(tree_of(path))
    ]
    assert not wrong, "\n".join(wrong)


def _global_state(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    constants: set[str] = set()
    for node in tree.body:
        for name in _containers(node):
            if name.isupper():
                constants.add(name)
            elif not name.startswith("__"):
                yield node.lineno, name, "a module-level container that is not a constant"
    for inner in ast.walk(tree):
        if isinstance(inner, ast.Global):
            yield inner.lineno, ", ".join(inner.names), "state needs an owner, not `global`"
        for name in _mutated(inner):
            if name in constants:
                yield getattr(inner, "lineno", 0), name, "a constant is changed"


def _containers(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.Assign):
        targets, value = node.targets, node.value
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        targets, value = [node.target], node.value
    else:
        return
    if not _is_container(value):
        return
    for target in targets:
        if isinstance(target, ast.Name):
            yield target.id


def _is_container(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        function = value.func
        name = function.attr if isinstance(function, ast.Attribute) else ast.unparse(function)
        return name in CONTAINERS
    displays = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
    return isinstance(value, displays)


def _mutated(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
        owner = node.value
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in MUTATORS
    ):
        owner = node.func.value
    else:
        return
    if isinstance(owner, ast.Name):
        yield owner.id


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("SIZES = {'a': 1}\nprint(SIZES['a'])", 0),
        ("seen = []", 1),
        ("SEEN = []\ndef see(x):\n    SEEN.append(x)", 1),
        ("SEEN = {}\ndef see(x):\n    SEEN[x] = 1", 1),
        ("count = 0\ndef see():\n    global count\n    count += 1", 1),
        ("def see():\n    seen = []\n    seen.append(1)", 0),
        ("__all__ = ['a']", 0),
    ],
)
def test_the_rule_about_globals_sees_state(code: str, count: int) -> None:
    assert len(list(_global_state(ast.parse(code)))) == count


def test_the_source_is_found() -> None:
    assert Path("model/ids.py") in [Path(short(path)) for path in source_files()]
