"""`Task`: one unit of work that travels to a worker, where it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from concurrent_framework.model.resources import Resources

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import TypeAlias

    from concurrent_framework.model.errors import TaskError

    ErrorKind: TypeAlias = type[BaseException] | str
    RetryOn: TypeAlias = ErrorKind | Collection[ErrorKind]


class _ClassName:
    """The name of a task that was given none: its class's.

    It is no attribute of the class itself, so that a dataclass may have a field ``name``.
    """

    def __get__(self, task: Task | None, owner: type[Task]) -> str:
        if task is None:
            message = f"type object {owner.__name__!r} has no attribute 'name'"
            raise AttributeError(message)
        return owner.__name__


class Task:
    """One unit of work. Subclass it, and say in `__call__` what is to be done.

    What an instance holds must be picklable: it travels to a worker, is called there, and the
    attributes that it rebound there travel back. A subclass need not call ``Task.__init__``.

    Args:
        name: how people see the task; the class's name if empty.
        system_id: the task system it belongs to, None if it belongs to none.
        client_id: the node that made it.

    Attributes:
        name: how people see the task.
        task_id: its number in its application, counted from 1; None until it is pushed.
        system_id: the task system it belongs to.
        client_id: the node that made it.
        slave_id: name of the worker that ran it, None until it ran; `worker_id` is the same.
        max_attempts: how often it may be attempted before it is given up: when what runs it dies,
            or when it ends in a way that `retry_on` names; 1 to 1000.
        timeout: seconds one attempt may take, > 0; None for no limit.
        priority: higher goes first, over all applications; -2**31 to 2**31-1.
        resources: what it occupies while it runs.
        idempotent: False if it must never be started twice; a lost attempt is then its end.
        retry_on: errors after which it is attempted again: exception types (their subclasses
            count too) or names of types, and `TaskTimeout` and `ResourceExceeded`.
        backoff: seconds that it waits before its second attempt; doubled before each further one,
            up to a minute, or up to the second of a pair, as in ``(0.5, 30)``.
        deadline: seconds after its submission at which it ends as `TaskTimeout` wherever it is,
            also while it waits; None for no limit.

    All from `max_attempts` on may be set in the class, or on an instance before it is pushed. A value that
    cannot be is a `UsageError` at the push.

    Example:
        >>> class Square(Task):
        ...     timeout = 5.0
        ...     def __init__(self, number):
        ...         super().__init__(f"square of {number}")
        ...         self.number = number
        ...     def __call__(self):
        ...         return self.number**2
        >>> Square(3)()
        9

    """

    if TYPE_CHECKING:
        name: str
    else:
        name = _ClassName()
    task_id: int | None = None
    system_id: Any = None
    client_id: Any = None
    slave_id: str | None = None

    max_attempts: int = 3
    timeout: float | None = None
    priority: int = 0
    resources: Resources = Resources()
    idempotent: bool = True
    retry_on: RetryOn = ()
    backoff: float | tuple[float, float] = 0.0
    deadline: float | None = None

    def __init__(self, name: str = "", system_id: Any = None, client_id: Any = None) -> None:
        if name:
            self.name = name
        # What is None already would only travel with the task.
        if system_id is not None:
            self.system_id = system_id
        if client_id is not None:
            self.client_id = client_id

    @property
    def worker_id(self) -> str | None:
        """Name of the worker that ran the task, None until it ran."""
        return self.slave_id

    @worker_id.setter
    def worker_id(self, worker: str | None) -> None:
        self.slave_id = worker

    def __call__(self) -> Any:
        """Do the work, on a worker. What it returns (or raises) is the task's outcome."""
        message = f"{type(self).__name__} does not say what to do: define __call__"
        raise NotImplementedError(message)

    def clean_up(self) -> None:
        """Drop what need not travel back; called on the worker after `__call__`, come what may."""

    def finished(self, result: Any, error: TaskError | None) -> None:
        """Learn the outcome, on the master's side; called only if a subclass overrides it.

        Args:
            result: what `__call__` returned, None if there is an error.
            error: why there is no result, None on success.

        """

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


def stamp(task: Task, task_id: int, worker: str | None) -> None:
    """Note on a task its number and the worker that runs it, also if its class is frozen."""
    object.__setattr__(task, "task_id", task_id)
    object.__setattr__(task, "slave_id", worker)
