"""`@task`: a function as a task class."""

from __future__ import annotations

from inspect import Signature, signature
from typing import TYPE_CHECKING, Any, ClassVar, Generic, ParamSpec, Protocol, TypeVar, overload

from concurrent_framework.model.errors import UsageError
from concurrent_framework.model.spec import CodeReference
from concurrent_framework.tasks.specs import SETTINGS, refuse_coroutine, spec_of
from concurrent_framework.tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from concurrent_framework.model.resources import Resources
    from concurrent_framework.tasks.task import RetryOn

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
_Accepted = tuple[frozenset[str], frozenset[str]]


class TaskFunction(Protocol[P, R_co]):
    """What `task` makes of a function: call it to make a task, use `function` to run it."""

    @property
    def function(self) -> Callable[P, R_co]:
        """The plain function."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> FunctionTask[P, R_co]:
        """Make a task that will call the function with these arguments, on a worker."""


class FunctionTask(Task, Generic[P, R_co]):
    """A call of a function, to be made on a worker; `task` makes its subclasses.

    Attributes:
        args: the call's positional arguments.
        kwargs: the call's keyword arguments.

    """

    function: ClassVar[Callable[..., Any]]
    """The plain function."""
    accepted_calls: ClassVar[tuple[_Accepted, ...]] = ()
    """By the number of positional arguments: which keywords may, and which must be given."""

    def __init__(self, *args: P.args, **kwargs: P.kwargs) -> None:
        _check_call(type(self), args, kwargs)
        self.args: tuple[Any, ...] = args
        self.kwargs: dict[str, Any] = kwargs

    def __call__(self) -> R_co:
        """Call the function."""
        return self.function(*self.args, **self.kwargs)  # type: ignore[no-any-return]


@overload
def task(function: Callable[P, R], /) -> TaskFunction[P, R]: ...


@overload
def task(
    *,
    name: str = ...,
    max_attempts: int = ...,
    timeout: float | None = ...,
    priority: int = ...,
    resources: Resources = ...,
    idempotent: bool = ...,
    retry_on: RetryOn = ...,
    backoff: float | tuple[float, float] = ...,
    deadline: float | None = ...,
) -> Callable[[Callable[P, R]], TaskFunction[P, R]]: ...


def task(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Turn a function into a task class.

    Calling the class makes a task; its arguments are checked at once and travel with it. The plain
    function remains reachable as ``function``.

    Args:
        function: the function; it must not be async nor a generator.
        options: ``name`` (the function's own by default), and any of ``max_attempts``,
            ``timeout``, ``priority``, ``resources``, ``idempotent``, ``retry_on``, ``backoff``,
            ``deadline``: see `Task`.

    Raises:
        UsageError: if an option does not exist or has a value that cannot be, or the function
            cannot be a task.

    Example:
        >>> @task(timeout=5)
        ... def power(number, exponent=2):
        ...     return number**exponent
        >>> power(3, exponent=4)()
        81
        >>> power.function(3)
        9

    """
    if function is None:
        return lambda decorated: _make_class(decorated, options)
    return _make_class(function, options)


def _make_class(function: Any, options: dict[str, Any]) -> type[Task]:
    if not callable(function) or isinstance(function, type):
        message = f"@task takes a function, not {function!r}"
        raise UsageError(message)
    accepted = _accepted(_signature_of(function))
    return class_around(function, options, FunctionTask, "@task", accepted_calls=accepted)


def class_around(
    function: Any, options: dict[str, Any], base: type[Task], maker: str, **body: Any
) -> type[Task]:
    """Make a task class whose attribute `function` is a function; it travels with the class.

    Args:
        function: anything that can be called.
        options: ``name`` and the settings of a task.
        base: what the class derives from.
        maker: what the user has called, for messages.
        body: further attributes of the class.

    Raises:
        UsageError: for an option that does not exist or cannot be, or an async function.

    """
    name = getattr(function, "__name__", type(function).__name__)
    unknown = options.keys() - {"name", *SETTINGS}
    if unknown:
        known = ", ".join(("name", *SETTINGS))
        message = f"{maker} of {name}: no option {min(unknown)!r}; there are {known}"
        raise UsageError(message)
    refuse_coroutine(name, getattr(getattr(function, "__code__", None), "co_flags", 0))
    made = type(
        name,
        (base,),
        {
            "__module__": function.__module__,
            "__qualname__": getattr(function, "__qualname__", name),
            "__doc__": function.__doc__,
            "__wrapped__": staticmethod(function),
            "function": staticmethod(function),
            "name": name,
            **body,
            **options,
        },
    )
    spec_of(made, tuple(getattr(made, setting) for setting in SETTINGS), CodeReference("", name))
    return made


def _signature_of(function: Callable[..., Any]) -> Signature | None:
    try:
        return signature(function)
    except (TypeError, ValueError):
        return None  # some built-in functions do not tell; the worker will


def _accepted(signature: Signature | None) -> tuple[_Accepted, ...]:
    """Return, by the number of positional arguments, which keywords may and which must be given."""
    parameters = list(signature.parameters.values()) if signature else []
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters) or not signature:
        return ()
    table = []
    for count in range(len(positional) + 1):
        rest = positional[count:] + [p for p in parameters if p.kind is p.KEYWORD_ONLY]
        may = frozenset(p.name for p in rest if p.kind is not p.POSITIONAL_ONLY)
        must = frozenset(p.name for p in rest if p.default is p.empty)
        table.append((may, must))
    return tuple(table)


def _check_call(made: type[FunctionTask[..., Any]], args: Any, kwargs: dict[str, Any]) -> None:
    """Raise the TypeError that the call would raise, here and not on a worker."""
    if len(args) < len(made.accepted_calls):
        may, must = made.accepted_calls[len(args)]
        if must <= kwargs.keys() <= may:
            return
    known = _signature_of(made.function)
    if known is not None:
        try:
            known.bind(*args, **kwargs)
        except TypeError as error:
            message = f"{made.__name__}(): {error}"
            raise TypeError(message) from None
