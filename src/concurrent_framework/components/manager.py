"""The manager: which components there are, which are enabled, and their single instances."""

from __future__ import annotations

from importlib import import_module
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar, cast

from concurrent_framework.components.component import Component, component_name, interfaces_of
from concurrent_framework.components.interface import full_name
from concurrent_framework.components.reference import PluginProblem, Reference
from concurrent_framework.config import Config, options_of
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from concurrent_framework.config import Option, Setting

T = TypeVar("T")
C = TypeVar("C", bound=Component)

SECTION = "components"
"""Section of the configuration that enables and disables components and plug-ins by name."""


class _Entry:
    """A component that the manager knows, imported or not."""

    __slots__ = ("cls", "instance", "interfaces", "name", "origin", "problem", "target")

    def __init__(self, reference: Reference, origin: str) -> None:
        self.name, self.target, self.interfaces = reference
        self.origin = origin
        self.cls: type[Component] | None = None
        self.instance: Component | None = None
        self.problem = ""

    def __str__(self) -> str:
        return f"{self.target} ({self.origin})"


class ComponentManager:
    """Knows components and holds one instance of each that is used.

    There is no global one: whoever starts a node makes one and passes it on. Components are known
    in the order in which they were added: first those given here, then what is discovered.

    Args:
        config: settings for the components; default: every option at its default.
        components: classes, or references to classes that are imported when they are needed.
        report: called with each plug-in that fails, when it does; `problems` keeps them too.

    Raises:
        UsageError: if two enabled components of one interface have the same name.

    Example:
        >>> from concurrent_framework.components import Component, Interface, implements
        >>> class IGreeter(Interface):
        ...     def greet(self, name: str) -> str:
        ...         '''Return a greeting for one person.'''
        >>> class Formal(Component):
        ...     implements(IGreeter)
        ...     def greet(self, name: str) -> str:
        ...         return f"Good day, {name}."
        >>> manager = ComponentManager(components=[Formal])
        >>> manager.get(IGreeter, "formal").greet("Ada")
        'Good day, Ada.'

    """

    def __init__(
        self,
        config: Config | None = None,
        components: Iterable[type[Component] | Reference] = (),
        *,
        report: Callable[[PluginProblem], None] | None = None,
    ) -> None:
        self.config = Config() if config is None else config
        self.problems: list[PluginProblem] = []
        self._report = report
        self._entries: dict[str, _Entry] = {}
        self._lock = RLock()
        self.add(*components)

    def add(self, *components: type[Component] | Reference, origin: str = "built-in") -> None:
        """Make components known.

        Args:
            components: classes or references; one that is known already is not added again.
            origin: where they come from, for people.

        Raises:
            UsageError: if another enabled component of an interface has the same name.

        """
        for component in components:
            if isinstance(component, Reference):
                if component.target not in self._entries:
                    self._insert(_Entry(component, origin))
                continue
            entry = self._entries.get(full_name(component))
            if entry is None:
                entry = _Entry(_reference(component), origin)
                self._insert(entry)
            if entry.cls is not component:
                entry.cls, entry.instance = component, None

    def _insert(self, entry: _Entry) -> None:
        for other in self._entries.values():
            shared = set(entry.interfaces) & set(other.interfaces)
            if entry.name != other.name or not shared:
                continue
            if self._disabled(entry) or self._disabled(other):
                continue
            interface = min(shared).rpartition(":")[2]
            message = (
                f"two components for {interface} are called {entry.name!r}: {other} and {entry}; "
                f'rename one, or switch one off: [{SECTION}] "{entry.target}" = "disabled"'
            )
            raise UsageError(message)
        self._entries[entry.target] = entry

    def create(self, component: type[C], *args: Any, **options: Any) -> C:
        """Make the instance of a component with arguments; raises UsageError if there is one."""
        with self._lock:
            self.add(component, origin="code")
            entry = self._entries[full_name(component)]
            if entry.instance is not None:
                message = f"{entry.target} has been created already; there is one per manager"
                raise UsageError(message)
            return cast(C, self._instantiate(entry, component, args, options))

    def adopt(self, instance: Component) -> None:
        """Take in an instance that was made elsewhere, and give it this manager and its config."""
        with self._lock:
            self.add(type(instance), origin="code")
            self._entries[full_name(type(instance))].instance = instance
            instance._manager = self  # noqa: SLF001 (the other half of this class)

    def __getitem__(self, component: type[C]) -> C:
        """Return the one instance of a component; raises UsageError if it is disabled."""
        self.add(component, origin="code")
        return cast(C, self._instance(self._entries[full_name(component)]))

    def get(self, interface: Callable[..., T], name: str) -> T:
        """Return the component that implements an interface under this name.

        Raises:
            UsageError: if there is none, it is disabled, or it cannot be loaded.

        """
        wanted = _interface_name(interface)
        entries = [one for one in self._entries.values() if wanted in one.interfaces]
        named = [one for one in entries if one.name == name]
        for entry in named:
            if not self._disabled(entry):
                return cast(T, self._instance(entry))
        if named:
            setting = self._disabled(named[0])
            message = f"{named[0]} is switched off by {setting.source if setting else ''}"
            raise UsageError(message)
        message = f"no {wanted.rpartition(':')[2]} is called {name!r}"
        names = sorted({one.name for one in entries if not self._disabled(one)})
        message += f"; there is {', '.join(names)}" if names else "; there is none at all"
        raise UsageError(message)

    def all(self, interface: Callable[..., T]) -> list[T]:
        """Return the enabled components that implement an interface, in order.

        A plug-in that cannot be loaded or created is reported and left out.
        """
        wanted = _interface_name(interface)
        found: list[T] = []
        for entry in list(self._entries.values()):
            if wanted not in entry.interfaces or entry.problem or self._disabled(entry):
                continue
            try:
                found.append(cast(T, self._instance(entry)))
            except UsageError as error:
                entry.problem = str(error)
        return found

    def names(self, interface: Callable[..., T]) -> list[str]:
        """Return the names of the enabled components that implement an interface, in order."""
        wanted = _interface_name(interface)
        return [
            one.name
            for one in self._entries.values()
            if wanted in one.interfaces and not self._disabled(one)
        ]

    def _disabled(self, entry: _Entry) -> Setting | None:
        settings = self.config.section(SECTION)
        for key in (entry.target, entry.name):
            if (setting := settings.get(key)) is not None:
                return setting if setting.value in ("disabled", False) else None
        return None

    def _load(self, entry: _Entry) -> type[Component]:
        if entry.cls is None:
            module, _, qualname = entry.target.partition(":")
            found: Any = import_module(module)
            for part in qualname.split("."):
                found = getattr(found, part)
            entry.cls = found
        assert entry.cls is not None
        return entry.cls

    def _instance(self, entry: _Entry) -> Component:
        with self._lock:
            if entry.instance is not None:
                return entry.instance
            if setting := self._disabled(entry):
                message = f"{entry} is switched off by {setting.source}"
                raise UsageError(message)
            return self._instantiate(entry, self._load(entry), (), {})

    def _instantiate(
        self, entry: _Entry, cls: type[Component], args: tuple[Any, ...], options: dict[str, Any]
    ) -> Component:
        instance = cls.__new__(cls)
        instance._manager = self  # noqa: SLF001 (the other half of this class)
        entry.instance = instance
        try:
            instance.__init__(*args, **options)  # type: ignore[misc]
        except BaseException:
            entry.instance = None
            raise
        return instance

    def options(self) -> list[Option[Any]]:
        """Return the options of all components, each key once."""
        found: dict[int, Option[Any]] = {}
        for entry in self._entries.values():
            found |= {id(option): option for option in options_of(self._load(entry))}
        return list(found.values())


def _reference(component: type[Component]) -> Reference:
    interfaces = tuple(full_name(one) for one in interfaces_of(component))
    return Reference(component_name(component), full_name(component), interfaces)


def _interface_name(interface: Callable[..., object]) -> str:
    return full_name(cast(type, interface))
