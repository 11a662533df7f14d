"""Interfaces: what a component promises to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

__all__ = [
    "Interface",
    "full_name",
    "interface_attributes",
    "interface_methods",
    "is_interface",
    "optional",
]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol as Interface

    Method = TypeVar("Method", bound=Callable[..., object])
else:

    class Interface:
        """Base of interfaces; a subclass lists methods, each documented by its docstring.

        A component says ``implements(IThing)`` in its class body and is held to it: every method
        must be there and accept the calls that the interface describes, except those marked
        `optional`. An attribute with a value is a default for components without it. To type checkers an interface is a protocol, so any object with these methods
        fits.

        Example:
            >>> class IGreeter(Interface):
            ...     def greet(self, name: str) -> str:
            ...         '''Return a greeting for one person.'''

        """

    Method = TypeVar("Method")


OPTIONAL = "__optional__"
"""Attribute that marks an optional method of an interface."""


def optional(method: Method) -> Method:
    """Mark a method of an interface as a hook: a component without it gets the interface's own.

    Example:
        >>> class IListener(Interface):
        ...     @optional
        ...     def opened(self) -> None:
        ...         '''Do something when the environment is opened.'''

    """
    setattr(method, OPTIONAL, True)
    return method


def is_interface(thing: object) -> bool:
    """Whether this is an interface class (and no component that inherits from one)."""
    base: type = Interface
    return (
        isinstance(thing, type)
        and issubclass(thing, base)
        and thing is not base
        and all(one in (object, Generic) or issubclass(one, base) for one in thing.__mro__)
    )


def interface_methods(interface: type) -> dict[str, Callable[..., object]]:
    """Return the methods that an interface demands, inherited ones included, in order."""
    return {
        name: member
        for name, member in _members(interface)
        if callable(member) and (not name.startswith("_") or name == "__call__")
    }


def interface_attributes(interface: type) -> dict[str, object]:
    """Return the attributes to which an interface gives a value, inherited ones included."""
    return {
        name: member
        for name, member in _members(interface)
        if not callable(member) and not name.startswith("_")
    }


def _members(interface: type) -> Iterator[tuple[str, object]]:
    for ancestor in reversed(interface.__mro__):
        if ancestor not in (object, Generic):
            yield from vars(ancestor).items()


def full_name(thing: type) -> str:
    """Return ``module:Qualified.Name``, by which classes are named in references and messages."""
    return f"{thing.__module__}:{thing.__qualname__}"
