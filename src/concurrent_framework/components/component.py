"""Components: classes that implement interfaces and can be exchanged by configuration."""

from __future__ import annotations

import re
from abc import ABCMeta
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NoReturn
from weakref import ref

from concurrent_framework.components.conformance import breaches, defaults
from concurrent_framework.components.interface import full_name, is_interface
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from concurrent_framework.components.manager import ComponentManager
    from concurrent_framework.config import Config


class _Body(dict[str, Any]):
    """The namespace of a component's class body while Python executes it."""

    __slots__ = ("__weakref__", "interfaces")

    def __init__(self) -> None:
        super().__init__()
        self.interfaces: list[type] = []


_open_bodies: ContextVar[tuple[ref[_Body], ...]] = ContextVar("_open_bodies", default=())
"""Class bodies being executed, the innermost last. The references are weak because Python tells
nobody about a body that raised; a new thread starts with none."""


def implements(*interfaces: type) -> None:
    """Say in the body of a component's class which interfaces it implements.

    Args:
        interfaces: one or more subclasses of `Interface`.

    Raises:
        UsageError: outside of a component's class body, or for something that is no interface.

    Example:
        >>> from concurrent_framework.components import Component, Interface
        >>> class IGreeter(Interface):
        ...     def greet(self, name: str) -> str:
        ...         '''Return a greeting for one person.'''
        >>> class Formal(Component):
        ...     implements(IGreeter)
        ...     def greet(self, name: str) -> str:
        ...         return f"Good day, {name}."

    """
    alive = [body for reference in _open_bodies.get() if (body := reference()) is not None]
    if not alive:
        message = "implements() works only inside the body of a class that derives from Component"
        raise UsageError(message)
    for interface in interfaces:
        if not is_interface(interface):
            message = f"implements({interface!r}): this is no subclass of Interface"
            raise UsageError(message)
    alive[-1].interfaces += interfaces


class ComponentMeta(ABCMeta):
    """Records what a component implements and holds it to that when its class is made."""

    @classmethod
    def __prepare__(cls, name: str, bases: tuple[type, ...], /, **options: Any) -> _Body:
        """Return the namespace in which `implements` takes notes."""
        body = _Body()
        alive = (reference for reference in _open_bodies.get() if reference() is not None)
        _open_bodies.set((*alive, ref(body)))
        return body

    def __new__(
        cls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        /,
        **options: Any,
    ) -> ComponentMeta:
        """Make the class; raises UsageError if it breaks the promises of an interface."""
        own: tuple[type, ...] = ()
        if isinstance(namespace, _Body):
            own = tuple(namespace.interfaces)
            _close(namespace)
        attributes = dict(namespace)
        attributes.setdefault("__interfaces__", own)
        attributes.setdefault("abstract", False)
        made = super().__new__(cls, name, bases, attributes, **options)
        if "name" not in attributes and isinstance(getattr(made, "name", ""), str):
            made.name = _kebab(name)  # type: ignore[attr-defined]
        # A class that is rebuilt from a pickle gets its methods later; only a class statement
        # sets __qualname__.
        if "__qualname__" in attributes and attributes["abstract"] is not True:
            _hold_to_promises(made)
        return made


def _close(body: _Body) -> None:
    """Forget this class body and what is left of bodies inside it that raised."""
    references = _open_bodies.get()
    for index, reference in enumerate(references):
        if reference() is body:
            _open_bodies.set(references[:index])
            return


def _hold_to_promises(owner: type) -> None:
    for interface in interfaces_of(owner):
        if problems := "; ".join(breaches(owner, interface)):
            message = (
                f"{full_name(owner)} does not implement {interface.__name__}: {problems} "
                f"(a base class that is completed later says `abstract = True`)"
            )
            raise UsageError(message)
    for interface in interfaces_of(owner):
        for name, value in defaults(owner, interface):
            setattr(owner, name, value)


def _kebab(name: str) -> str:
    """Turn ``LeastLoaded`` into ``least-loaded`` and ``HTTPServer`` into ``http-server``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_+", "-", name.strip("_"))
    return words.lower()


def interfaces_of(component: type) -> tuple[type, ...]:
    """Return the interfaces a component implements: its own first, then inherited ones."""
    found: dict[type, None] = {}
    for ancestor in component.__mro__:
        named = vars(ancestor).get("__interfaces__", ())
        direct = (ancestor,) if is_interface(ancestor) else ()
        for interface in (*named, *direct):
            for general in interface.__mro__:
                if is_interface(general):
                    found[general] = None
    return tuple(found)


def component_name(component: type) -> str:
    """Return the short name by which configuration selects a component."""
    name = getattr(component, "name", "")
    return name if isinstance(name, str) and name else _kebab(component.__name__)


class Component(metaclass=ComponentMeta):
    """Base of everything that can be exchanged, selected and disabled by configuration.

    A subclass says ``implements(IThing)`` in its body. It may define `__init__` freely and need not
    call the one of this class; `config` and `components` are there before it runs when a
    `ComponentManager` creates the instance. An instance made directly has a manager of its own with
    every option at its default, until it is given to one.

    Attributes:
        name: short name by which configuration selects it; default: the class's, in kebab case.
        abstract: True in the body of a base class that does not implement everything itself. It is
            not inherited.

    Raises:
        UsageError: when the class is made, if a method of an interface is missing or cannot take
            the calls that the interface describes.

    """

    name: str = ""
    abstract: bool = True

    _manager: ComponentManager | None = None

    @property
    def components(self) -> ComponentManager:
        """The manager this component belongs to."""
        if self._manager is None:
            from concurrent_framework.components.manager import ComponentManager

            ComponentManager().adopt(self)
        manager = self._manager
        assert manager is not None
        return manager

    @property
    def config(self) -> Config:
        """The configuration this component's options are read from."""
        return self.components.config

    def __reduce__(self) -> NoReturn:
        message = (
            f"{type(self).__name__} is a component and belongs to this process: "
            "give whatever travels only the values that it needs"
        )
        raise TypeError(message)
