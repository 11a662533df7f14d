"""Extension points: where a component meets all components that implement an interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Self, TypeVar, overload

from concurrent_framework.components.interface import is_interface
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from concurrent_framework.components.component import Component

T = TypeVar("T")


class ExtensionPoint(Generic[T]):
    """A class attribute of a component that reads as the list of an interface's implementations.

    The list holds the enabled components of the same manager, one instance of each, in the order in
    which they were registered: what is built in first, then installed packages, then plug-ins.

    Args:
        interface: the interface they implement.

    Raises:
        UsageError: when it is made, if that is no interface.

    Example:
        >>> from concurrent_framework.components import Component, Interface
        >>> class IGreeter(Interface):
        ...     def greet(self, name: str) -> str:
        ...         '''Return a greeting for one person.'''
        >>> class Welcome(Component):
        ...     greeters = ExtensionPoint(IGreeter)
        ...     def say(self, name: str) -> list[str]:
        ...         return [greeter.greet(name) for greeter in self.greeters]

    """

    def __init__(self, interface: Callable[..., T]) -> None:
        if not is_interface(interface):
            message = f"ExtensionPoint({interface!r}): this is no subclass of Interface"
            raise UsageError(message)
        self.interface = interface

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: Component, owner: type) -> list[T]: ...
    def __get__(self, instance: Component | None, owner: type) -> Self | list[T]:
        if instance is None:
            return self
        return instance.components.all(self.interface)
