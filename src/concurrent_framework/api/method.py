"""API methods: how a component offers one, and what is known of it from its signature."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar, get_args, get_type_hints

import msgspec

from concurrent_framework.components import Interface
from concurrent_framework.model.errors import UsageError
from concurrent_framework.protocol.application import QueryKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from concurrent_framework.api.context import ApiContext

ApiRole = Literal["observe", "admin"]
"""``observe`` may look, ``admin`` may do."""
NodeKind = Literal["master", "worker", "application"]
_QUERIES = frozenset(get_args(QueryKind))
EVERY_NODE: tuple[NodeKind, ...] = ("master", "worker", "application")
MARK = "__api_method__"
_NAME = re.compile(r"[a-z][a-z_]*(\.[a-z][a-z_]*)+")

F = TypeVar("F", bound=Callable[..., Awaitable[Any]])


class Call(NamedTuple):
    """One call of an API method.

    Args:
        api: the node that is asked, and what it can be asked.
        role: what the caller may do.

    """

    api: ApiContext
    role: ApiRole


class IApiMethods(Interface):
    """A component with API methods: those that are marked with `api_method`.

    Example:
        >>> from concurrent_framework.components import Component, implements
        >>> class Laboratory(Component):
        ...     implements(IApiMethods)
        ...     name = "laboratory"
        ...     @api_method("laboratory.temperature")
        ...     async def temperature(self, call: Call, room: int = 1) -> float:
        ...         '''Return the temperature of a room in degrees Celsius.'''
        ...         return 20.5

    """


class _Mark(NamedTuple):
    name: str
    role: ApiRole
    nodes: tuple[NodeKind, ...]
    needs: str


def api_method(
    name: str,
    *,
    role: ApiRole = "observe",
    nodes: tuple[NodeKind, ...] = ("master",),
    needs: str = "",
) -> Callable[[F], F]:
    """Mark an asynchronous method of a component as an API method.

    It gets the `Call` and then its own parameters, whose types are checked before. What it returns
    must be expressible in JSON. Its docstring describes it: the first line is its summary. A
    parameter is described by ``Annotated[int, Meta(description="…", ge=1)]``.

    Args:
        name: ``noun.verb``.
        role: ``observe`` if it only looks, ``admin`` if it changes something.
        nodes: the kinds of node that have it.
        needs: a kind of `protocol.application.Query` without which it does not exist.

    Raises:
        UsageError: the name is not of that form.

    """
    if not _NAME.fullmatch(name):
        message = f"the API method {name!r} must be named NOUN.VERB, in lower case"
        raise UsageError(message)

    def mark(function: F) -> F:
        setattr(function, MARK, _Mark(name, role, nodes, needs))
        return function

    return mark


class Parameter(NamedTuple):
    """A parameter of a method.

    Args:
        name: its name.
        hint: its type, with what `msgspec.Meta` says of it.
        required: whether it has no default.
        default: what it is otherwise.

    """

    name: str
    hint: Any
    required: bool
    default: Any


class ApiMethod:
    """A method that can be called by name.

    Args:
        owner: the component.
        function: its marked method, bound.

    """

    def __init__(self, owner: object, function: Callable[..., Awaitable[Any]]) -> None:
        mark: _Mark = getattr(function, MARK)
        self.name, self.role, self.nodes, self.needs = mark
        self.owner = type(owner)
        self.function = function
        text = inspect.cleandoc(function.__doc__ or "")
        self.summary, _, rest = text.partition("\n")
        self.description = rest.strip()
        hints = get_type_hints(function, include_extras=True)
        self.result = hints.get("return", Any)
        parameters = list(inspect.signature(function).parameters.values())[1:]
        self.parameters = tuple(
            Parameter(one.name, hints.get(one.name, Any), one.default is one.empty, one.default)
            for one in parameters
        )
        fields: list[Any] = [
            (one.name, one.hint) if one.required else (one.name, one.hint, one.default)
            for one in self.parameters
        ]
        self.arguments = msgspec.defstruct(
            "Parameters", fields, kw_only=True, forbid_unknown_fields=True
        )

    def bind(self, params: list[Any] | dict[str, Any]) -> dict[str, Any]:
        """Return the arguments that parameters stand for.

        Raises:
            ValueError: there are too many, one is missing, unknown, or of a wrong type.

        """
        if isinstance(params, list):
            if len(params) > len(self.parameters):
                message = f"{self.name} takes {len(self.parameters)} parameters, not {len(params)}"
                raise ValueError(message)
            params = {one.name: value for one, value in zip(self.parameters, params, strict=False)}
        found = msgspec.convert(params, self.arguments)
        return {one.name: getattr(found, one.name) for one in self.parameters}


class MethodTable:
    """The methods of one node, by name.

    Args:
        kinds: what the node is; ``master`` too if it can ask one.
        components: those that offer methods, the built-in ones first.

    Raises:
        UsageError: two components offer a method of the same name.

    """

    def __init__(self, kinds: Iterable[NodeKind], components: Iterable[object]) -> None:
        has = frozenset(kinds)
        self._methods: dict[str, ApiMethod] = {}
        for component in components:
            for method in _methods_of(component):
                if has & set(method.nodes) and (not method.needs or method.needs in _QUERIES):
                    self._add(method)

    def _add(self, method: ApiMethod) -> None:
        there = self._methods.get(method.name)
        if there is not None:
            message = (
                f"two components have the API method {method.name}: {there.owner.__qualname__} and "
                f"{method.owner.__qualname__}; switch one of them off"
            )
            raise UsageError(message)
        self._methods[method.name] = method

    def get(self, name: str) -> ApiMethod | None:
        """Return a method, None if there is none of this name."""
        return self._methods.get(name)

    def all(self) -> list[ApiMethod]:
        """Return all methods in the order of their names."""
        return [self._methods[name] for name in sorted(self._methods)]


def _methods_of(component: object) -> list[ApiMethod]:
    found = []
    for name, member in inspect.getmembers_static(type(component)):
        if hasattr(member, MARK):
            found.append(ApiMethod(component, getattr(component, name)))
    return found
