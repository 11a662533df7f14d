"""Which errors a task is attempted again after, and which settings of that make sense."""

from __future__ import annotations

import concurrent.futures
import sys
from typing import Any

import pytest

from concurrent_framework import (
    ResourceExceeded,
    Task,
    TaskCancelled,
    TaskTimeout,
    UsageError,
    WorkerLost,
    task,
)
from concurrent_framework.model.spec import CodeReference, TaskSpec
from concurrent_framework.tasks.retrying import wants_retry
from concurrent_framework.tasks.specs import SETTINGS, spec_of


class Trouble(Exception):
    """Defined here."""


class Deeper(Trouble):
    """A kind of it."""


def spec_with(**settings: Any) -> TaskSpec:
    cls = type("Work", (Task,), {"__call__": lambda self: None, **settings})
    return spec_of(cls, tuple(getattr(cls, name) for name in SETTINGS), CodeReference("", "Work"))


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ((), ()),
        (OSError, ("OSError",)),
        ("requests.Timeout", ("requests.Timeout",)),
        ([KeyError, "OSError", "builtins.KeyError"], ("KeyError", "OSError")),
        ({Trouble}, (f"{__name__}.Trouble",)),
        ((TaskTimeout, ResourceExceeded), ("ResourceExceeded", "TaskTimeout")),
        ("concurrent_framework.TaskTimeout", ("TaskTimeout",)),
    ],
)
def test_errors_travel_as_names(given: Any, names: tuple[str, ...]) -> None:
    assert spec_with(retry_on=given).retry_on == names


@pytest.mark.parametrize(
    ("given", "pair"),
    [(0, (0.0, 0.0)), (2, (2.0, 60.0)), (90.0, (90.0, 90.0)), ((0.5, 30), (0.5, 30.0))],
)
def test_a_backoff_has_a_limit(given: Any, pair: tuple[float, float]) -> None:
    spec = spec_with(backoff=given)
    assert (spec.backoff, spec.max_backoff) == pair


def test_a_deadline_is_in_seconds() -> None:
    assert [spec_with(deadline=one).deadline for one in (None, 5, float("inf"))] == [0.0, 5.0, 0.0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"retry_on": 3}, "Work.retry_on is 3; it must be exception types or their names"),
        ({"retry_on": (int,)}, "it must be exception types or their names"),
        ({"retry_on": "no name"}, "it must be exception types or their names"),
        ({"retry_on": ""}, "it must be exception types or their names"),
        ({"retry_on": WorkerLost}, "Work.retry_on names WorkerLost: a task whose worker is lost"),
        ({"retry_on": TaskCancelled}, "a task that was cancelled stays cancelled"),
        ({"retry_on": "TaskError"}, "name what it is: TaskTimeout, ResourceExceeded, or"),
        ({"retry_on": OSError, "idempotent": False}, "but idempotent is False: a task that must"),
        ({"backoff": -1}, "Work.backoff is -1; it must be seconds >= 0, or a pair of"),
        ({"backoff": (5, 1)}, r"Work.backoff is \(5, 1\); it must be seconds >= 0"),
        ({"backoff": (1, 2, 3)}, "it must be seconds >= 0"),
        ({"backoff": "fast"}, "Work.backoff is 'fast'; it must be seconds >= 0"),
        ({"backoff": float("inf")}, "it must be seconds >= 0"),
        ({"deadline": 0}, "Work.deadline is 0; it must be a number of seconds > 0 from its subm"),
        ({"deadline": "soon"}, "Work.deadline is 'soon'"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        spec_with(**settings)


def test_functions_have_these_settings_too() -> None:
    @task(retry_on=OSError, backoff=(0.1, 1), deadline=9)
    def work() -> None: ...

    assert work().retry_on is OSError
    with pytest.raises(UsageError, match=r"work\.deadline is -1"):

        @task(deadline=-1)
        def work() -> None: ...


@pytest.mark.parametrize(
    ("error", "name", "wanted"),
    [
        (FileNotFoundError(), "OSError", True),
        (Deeper(), "Trouble", True),
        (Deeper(), f"{__name__}.Trouble", True),
        (Trouble(), f"{__name__}.Deeper", False),
        (Trouble(), "elsewhere.Trouble", False),
        (SystemExit(1), "SystemExit", True),
        (SystemExit(1), "Exception", False),
        (UnicodeDecodeError("utf-8", b"", 0, 1, ""), "ValueError", True),
    ],
)
def test_subclasses_count(error: BaseException, name: str, wanted: bool) -> None:
    assert wants_retry(error, [name]) is wanted


def test_a_name_may_be_where_a_class_is_imported_from() -> None:
    error = concurrent.futures.BrokenExecutor()
    assert type(error).__module__ != "concurrent.futures"
    assert wants_retry(error, ["concurrent.futures.BrokenExecutor"])
    assert "no_such_module" not in sys.modules
    assert not wants_retry(error, ["no_such_module.BrokenExecutor"])
