"""From outcomes as they travel to what callbacks are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from concurrent_framework.model.errors import NotSerializable, TaskError, error_from
from concurrent_framework.tasks.failures import load_exception
from concurrent_framework.tasks.payload import NOTHING, apply_changes, load_result, load_task
from concurrent_framework.tasks.state import attributes

if TYPE_CHECKING:
    from concurrent_framework.model.outcome import Failure
    from concurrent_framework.protocol.tasks import Outcome
    from concurrent_framework.tasks.task import Task

ACKNOWLEDGE_AFTER = 0.05
"""Seconds of callbacks after which the outcomes handled so far are acknowledged."""


def unpack(task: Task, outcome: Outcome, worker: str) -> tuple[Any, TaskError | None]:
    """Bring a task's instance up to date; return its result, or None and its error."""
    if worker:
        object.__setattr__(task, "slave_id", worker)  # also where the class is frozen
    if outcome.changes:
        try:
            apply_changes(task, outcome.changes)  # type: ignore[arg-type]
        except NotSerializable as error:
            if outcome.failure is None:
                return None, error
    if outcome.failure is not None:
        return None, error_of(outcome.failure)
    if outcome.result == NOTHING:
        return None, None
    return result_of(outcome.result)


def result_of(payload: Any) -> tuple[Any, TaskError | None]:
    """Return a result, or the error that it cannot be rebuilt here."""
    try:
        return load_result(payload), None
    except NotSerializable as error:
        return None, error


def error_of(failure: Failure) -> TaskError:
    """Return the exception that stands for a failure and can raise the original one."""
    return error_from(failure, load_exception)


def update(system: Any, state: Any) -> None:
    """Give a task system's instance the attributes it had when it ended."""
    for name, value in attributes(load_task(type(system), state)).items():
        object.__setattr__(system, name, value)


async def value_of(returned: Any) -> Any:
    """Return what a callback returned, once it is there."""
    return await returned if hasattr(returned, "__await__") else returned
