"""Finds the part of a value that cannot be pickled, so that a message can name it."""

from __future__ import annotations

from itertools import islice
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, NamedTuple

from concurrent_framework.code import by_value
from concurrent_framework.tasks.state import attributes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

MAX_DEPTH = 12
MAX_PARTS = 10_000
"""Parts of one container that are looked at; the culprit of a longer one is named as a whole."""


TOO_DEEP = "it is nested too deeply"


class Culprit(NamedTuple):
    """A part that cannot be pickled: how to reach it, its type's name, and what pickle says."""

    path: str
    type: str
    reason: str


def accuse(parts: Mapping[str, object], error: Exception) -> str:
    """Say which part of several, given by the words that name them, pickling has failed at.

    Args:
        parts: what was pickled.
        error: what pickle said, for the case that each part can be pickled by itself.

    """
    for words, part in parts.items():
        culprit = find_culprit(part, words)
        if culprit is not None:
            return f"{culprit.path} is of type {culprit.type}: {culprit.reason}"
    return f"{type(error).__name__}: {error}"


def find_culprit(value: object, path: str) -> Culprit | None:
    """Return the innermost part of a value that cannot be pickled; None if all of it can be."""
    reason = _complaint(value)
    if reason is None:
        return None
    seen: set[int] = set()
    for _ in range(MAX_DEPTH if reason != TOO_DEEP else 0):
        seen.add(id(value))
        for part_path, part in islice(_parts(value, path), MAX_PARTS):
            part_reason = None if id(part) in seen else _complaint(part)
            if part_reason is not None:
                path, value, reason = part_path, part, part_reason
                break
        else:
            break
    return Culprit(path, _type_name(value), reason)


def _complaint(value: object) -> str | None:
    try:
        by_value.dumps(value)
    except Exception as error:  # noqa: BLE001 (user code runs here)
        if isinstance(error.__cause__ or error, RecursionError):
            return TOO_DEEP
        return f"{error}" or type(error).__name__
    return None


def _parts(value: Any, path: str) -> Iterator[tuple[str, object]]:
    for kind, parts in _PARTS.items():
        if isinstance(value, kind):
            return parts(value, path)
    return _parts_of_object(value, path)


def _parts_of_dict(value: dict[Any, Any], path: str) -> Iterator[tuple[str, object]]:
    for key, item in value.items():
        yield f"{path}[{key!r}]", item
        yield f"a key of {path}", key


def _parts_of_sequence(value: Sequence[Any], path: str) -> Iterator[tuple[str, object]]:
    return ((f"{path}[{index}]", item) for index, item in enumerate(value))


def _parts_of_set(value: Iterable[Any], path: str) -> Iterator[tuple[str, object]]:
    return ((f"an element of {path}", item) for item in value)


def _parts_of_function(value: FunctionType, path: str) -> Iterator[tuple[str, object]]:
    for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
        yield f"{name}, which {path} uses,", _content(cell)
    for name in value.__code__.co_names:
        if name in value.__globals__:
            yield f"the global {name}, which {path} uses,", value.__globals__[name]


def _parts_of_method(value: MethodType, path: str) -> Iterator[tuple[str, object]]:
    yield f"{path}.__self__", value.__self__


def _parts_of_class(value: type, path: str) -> Iterator[tuple[str, object]]:
    for name, item in vars(value).items():
        plain = item.__func__ if isinstance(item, staticmethod | classmethod) else item
        yield f"{path}.{name}", plain


def _parts_of_object(value: object, path: str) -> Iterator[tuple[str, object]]:
    try:
        named = attributes(value)
    except Exception:  # noqa: BLE001 (an object without attributes, or an odd one)
        return
    for name, item in named.items():
        yield f"{path}.{name}", item


_PARTS: dict[type | tuple[type, ...], Callable[[Any, str], Iterator[tuple[str, object]]]] = {
    dict: _parts_of_dict,
    (list, tuple): _parts_of_sequence,
    (set, frozenset): _parts_of_set,
    FunctionType: _parts_of_function,
    MethodType: _parts_of_method,
    type: _parts_of_class,
}


def _content(cell: Any) -> object:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _type_name(value: object) -> str:
    cls = type(value)
    return cls.__name__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
