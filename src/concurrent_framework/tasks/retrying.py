"""Which errors a task is attempted again after, how long it waits, and when its time is up.

`retry_on` holds types or names of types. What travels are names. Only where a task ran can its
exception be compared with them: `wants_retry` does that in the executor and sends the verdict.
"""

from __future__ import annotations

import sys
from math import inf, isfinite
from typing import TYPE_CHECKING, Any, NoReturn

from concurrent_framework.model.errors import TaskError, UsageError
from concurrent_framework.tasks.checks import is_number, refuse

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_BACKOFF = 60.0
"""Seconds between two attempts at most, unless the task says otherwise."""
BY_MASTER = ("TaskTimeout", "ResourceExceeded")
"""Ends that no exception of the task's stands for; `retry_on` may name them too."""
_EXPECTED = "exception types or their names, as in (OSError, 'requests.Timeout')"


def checked_retry_on(cls: type, given: Any, *, idempotent: bool) -> tuple[str, ...]:
    """Return the names of the errors in `retry_on`; raises `UsageError` for what is none."""
    entries = given if isinstance(given, tuple | list | set | frozenset) else (given,)
    names = tuple(sorted({_name_of(cls, given, entry) for entry in entries}))
    if names and not idempotent:
        message = (
            f"{cls.__name__}.retry_on is {given!r}, but idempotent is False: a task that must never "
            "be started twice cannot be attempted again; drop one of the two"
        )
        raise UsageError(message)
    return names


def _name_of(cls: type, given: Any, entry: Any) -> str:
    if isinstance(entry, str):
        if not all(part.isidentifier() for part in entry.split(".")):
            refuse(cls, "retry_on", given, _EXPECTED)
        name = entry.removeprefix("builtins.").removeprefix("concurrent_framework.")
    elif not isinstance(entry, type) or not issubclass(entry, BaseException):
        refuse(cls, "retry_on", given, _EXPECTED)
    elif issubclass(entry, TaskError):
        name = entry.__name__
    else:
        name = qualified(entry)
    if name in {"WorkerLost", "TaskCancelled", "TaskError"}:
        _refuse_kind(cls, name)
    return name


def _refuse_kind(cls: type, name: str) -> NoReturn:
    why = {
        "WorkerLost": "a task whose worker is lost is attempted again anyway, up to max_attempts",
        "TaskCancelled": "a task that was cancelled stays cancelled",
        "TaskError": "name what it is: TaskTimeout, ResourceExceeded, or exceptions of the task",
    }[name]
    message = f"{cls.__name__}.retry_on names {name}: {why}"
    raise UsageError(message)


def checked_backoff(cls: type, given: Any) -> tuple[float, float]:
    """Return the first and the longest delay that `backoff` asks for, in seconds."""
    pair = given if isinstance(given, tuple | list) else (given, max(MAX_BACKOFF, _number(given)))
    if (
        len(pair) != 2
        or not all(is_number(part) and isfinite(part) and part >= 0 for part in pair)
        or pair[0] > pair[1]
    ):
        expected = "seconds >= 0, or a pair of the first and the longest delay, as in (0.5, 30)"
        refuse(cls, "backoff", given, expected)
    return (float(pair[0]), float(pair[1])) if pair[0] else (0.0, 0.0)


def _number(given: Any) -> float:
    return float(given) if is_number(given) else 0.0


def checked_deadline(cls: type, given: Any) -> float:
    """Return the seconds from submission until the task is ended; 0 for no limit."""
    if given is not None and not (is_number(given) and given > 0):
        expected = "a number of seconds > 0 from its submission on, or None for no limit"
        refuse(cls, "deadline", given, expected)
    return 0.0 if given is None or given == inf else float(given)


def wants_retry(error: BaseException, names: Iterable[str]) -> bool:
    """Whether an exception is of a kind that one of these names stands for, subclasses included.

    A name without a dot stands for every class of that name; one with dots for the class that is
    defined there, or can be imported from there.

    Example:
        >>> wants_retry(FileNotFoundError(), ["OSError"]), wants_retry(KeyError(), ["OSError"])
        (True, False)

    """
    classes = type(error).__mro__
    for name in names:
        if any(name in (one.__name__, qualified(one)) for one in classes):
            return True
        module, _, attribute = name.rpartition(".")
        if module and getattr(sys.modules.get(module), attribute, None) in classes:
            return True
    return False


def qualified(cls: type) -> str:
    """Return a class's name with its module, except for built-in ones."""
    if cls.__module__ == "builtins":
        return cls.__qualname__
    return f"{cls.__module__}.{cls.__qualname__}"
