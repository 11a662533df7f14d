"""What the tasks of a ready-made system are made from, and what a failed one means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

from msgspec.structs import replace

from concurrent_framework.application.outcomes import error_of
from concurrent_framework.model.errors import UsageError
from concurrent_framework.tasks.decorator import task as as_task
from concurrent_framework.tasks.task import Task

if TYPE_CHECKING:
    from concurrent_framework.model.errors import TaskError


class Work:
    """Tasks that are made on the master's side, from what travels there.

    Args:
        work: tasks, or a function that returns them; with `inputs`, what to call with each.
        inputs: a list, or anything else that can be iterated; or a function that returns it.

    """

    def __init__(self, work: Any, inputs: Any = None) -> None:
        self.function = None
        if inputs is not None:
            task_maker(work)  # complain here rather than on the master's side
            self.function = work
        elif isinstance(work, type):
            message = f"{work.__name__} is a class: give the inputs to call it with too"
            raise UsageError(message)
        self.inputs = movable(work if inputs is None else inputs)
        self.size = len(self.inputs) if hasattr(self.inputs, "__len__") else 0
        """How many tasks there are, 0 if that cannot be known."""

    def tasks(self, skipped: int = 0) -> Iterator[Task]:
        """Make the tasks, one after another, but for the first so many."""
        make = None if self.function is None else task_maker(self.function)
        for item in islice(iterated(self.inputs), skipped, None):
            task = item if make is None else make(item)
            if not isinstance(task, Task):
                message = f"expected a task, got {task!r:.200}; to call a function, give its inputs"
                raise UsageError(message)
            yield task


def task_maker(function: Any) -> Callable[..., Task]:
    """Return what makes the tasks that call a function; a task class makes its own."""
    if isinstance(function, type) and issubclass(function, Task):
        return function
    made: Callable[..., Task] = as_task(
        Making(function) if isinstance(function, type) else function
    )
    return made


class Making:
    """Calls a class as if it were a function."""

    def __init__(self, cls: type) -> None:
        self.__name__ = cls.__name__
        self._cls = cls

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Make an instance."""
        return self._cls(*args, **kwargs)


def movable(inputs: Any) -> Any:
    """Return inputs in a form that can travel: what can be read only once becomes a list."""
    if isinstance(inputs, Iterator):
        return list(inputs)
    if isinstance(inputs, Iterable) or callable(inputs):
        return inputs
    message = f"expected an iterable, or a function that returns one, got {inputs!r:.200}"
    raise UsageError(message)


def iterated(inputs: Any) -> Iterator[Any]:
    """Iterate over what `movable` returned."""
    return iter(inputs if isinstance(inputs, Iterable) else inputs())


def choice(name: str, value: str, *allowed: str) -> str:
    """Return an option's value; raises UsageError if it is none of those allowed."""
    if value not in allowed:
        message = f"{name}={value!r}: it must be {' or '.join(map(repr, allowed))}"
        raise UsageError(message)
    return value


def fail(task: Task, error: TaskError) -> NoReturn:
    """End a system with the error of one of its tasks, naming the task."""
    message = f"task {task.name}: {error.message}"
    raise error_of(replace(error.failure, message=message)) from None
