"""Reads the package's source the way the architecture rules need it."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PACKAGE = "concurrent_framework"
SOURCE = ROOT / "src" / PACKAGE


class Import(NamedTuple):
    """One imported module, with the line and whether only type checkers follow it."""

    module: str
    line: int
    typing_only: bool


@cache
def source_files() -> tuple[Path, ...]:
    return tuple(sorted(SOURCE.rglob("*.py")))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def short(path: Path) -> str:
    """Return the path inside the package, as people name a file."""
    return path.relative_to(SOURCE).as_posix()


def module_of(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def package_of(module: str) -> str:
    """Return the first-level package below ours; empty for our root package itself."""
    return module.split(".")[1] if "." in module else ""


@cache
def imports_of(path: Path) -> tuple[Import, ...]:
    """Return all imports of a file, those inside functions included."""
    return tuple(_imports(tree_of(path), typing_only=False))


def ours(path: Path) -> Iterator[Import]:
    for one in imports_of(path):
        if one.module == PACKAGE or one.module.startswith(f"{PACKAGE}."):
            yield one


def _imports(node: ast.AST, *, typing_only: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(alias.name, node.lineno, typing_only)
    elif isinstance(node, ast.ImportFrom):
        for module in _from_modules(node):
            yield Import(module, node.lineno, typing_only)
    elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        for statement in node.body:
            yield from _imports(statement, typing_only=True)
        for statement in node.orelse:
            yield from _imports(statement, typing_only=typing_only)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _imports(child, typing_only=typing_only)


def _from_modules(node: ast.ImportFrom) -> Iterator[str]:
    module = node.module or ""
    for alias in node.names:
        name = f"{module}.{alias.name}"
        # The root package is loaded whenever any of us is; its version is nothing it builds on.
        if name != f"{PACKAGE}.__version__":
            yield name if _is_module(name) else module


def _is_module(name: str) -> bool:
    path = SOURCE.parent.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()
