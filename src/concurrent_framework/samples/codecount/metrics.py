"""Counts of one Python source: lines, functions, classes and cyclomatic complexity.

Cyclomatic complexity (McCabe, "A Complexity Measure", IEEE Transactions on Software Engineering
SE-2, 308-320, 1976) is the number of independent paths through a piece of code: one more than its
decisions. Counted as decisions are `if`, `elif`, conditional expressions, `for`, `while`, `except`,
`assert`, each `and` and `or`, each `for` and `if` of a comprehension, and each `case` of a `match`
that can fail.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from typing import NamedTuple

DECISIONS = (
    ast.If,
    ast.IfExp,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.ExceptHandler,
    ast.Assert,
)


class Counts(NamedTuple):
    """What a source amounts to.

    Args:
        lines: all its lines.
        functions: functions and methods, nested ones included.
        classes: classes, nested ones included.
        complexity: of all its functions and its top level together.
        worst: complexity of its most complex function, 0 if it has none.
        worst_name: that function's qualified name, empty if there is none.

    """

    lines: int
    functions: int
    classes: int
    complexity: int
    worst: int
    worst_name: str


@dataclass
class Scope:
    """A function or a module's top level, without the functions defined inside it."""

    name: str
    complexity: int = 1


def count(source: bytes) -> Counts:
    r"""Count a source, in whichever encoding it declares.

    Raises:
        SyntaxError: it is no Python of this interpreter's version, or wrongly encoded.
        ValueError: it holds null bytes.
        RecursionError: it is nested too deeply for Python's own parser.

    Example:
        >>> count(b"def sign(x):\n    return -1 if x < 0 else x > 0\n")
        Counts(lines=2, functions=1, classes=0, complexity=3, worst=2, worst_name='sign')

    """
    with warnings.catch_warnings():
        # What the compiler thinks of string escapes and the like is not our question.
        warnings.simplefilter("ignore")
        tree = ast.parse(source)
    classes, top, functions = _survey(tree)
    worst = max(functions, key=lambda scope: scope.complexity, default=Scope("", 0))
    return Counts(
        lines=len(source.splitlines()),
        functions=len(functions),
        classes=classes,
        complexity=top.complexity + sum(scope.complexity for scope in functions),
        worst=worst.complexity,
        worst_name=worst.name,
    )


def _survey(tree: ast.Module) -> tuple[int, Scope, list[Scope]]:
    """Return the number of classes, the top level, and all functions.

    What stands in a class outside of its methods belongs to the scope around the class.
    """
    classes, top = 0, Scope("")
    functions: list[Scope] = []
    waiting: list[tuple[ast.AST, str, Scope]] = [(tree, "", top)]
    while waiting:
        node, prefix, scope = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            scope = Scope(prefix + node.name)
            functions.append(scope)
            prefix = f"{scope.name}."
        elif isinstance(node, ast.ClassDef):
            classes += 1
            prefix += f"{node.name}."
        else:
            scope.complexity += _decisions(node)
        waiting.extend((child, prefix, scope) for child in ast.iter_child_nodes(node))
    return classes, top, functions


def _decisions(node: ast.AST) -> int:
    if isinstance(node, DECISIONS):
        return 1
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    if isinstance(node, ast.comprehension):
        return 1 + len(node.ifs)
    return isinstance(node, ast.match_case) and not _always_matches(node)


def _always_matches(case: ast.match_case) -> bool:
    """Tell `case _` and `case name`, which cannot fail, from the rest."""
    pattern = case.pattern
    return isinstance(pattern, ast.MatchAs) and pattern.pattern is None and case.guard is None
