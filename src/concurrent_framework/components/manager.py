"""The manager: which components there are, which are enabled, and their single instances."""

from __future__ import annotations

from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar, cast

from concurrent_framework.components.catalog import SECTION, Catalog, Entry
from concurrent_framework.components.component import Component
from concurrent_framework.components.interface import full_name
from concurrent_framework.components.reference import ComponentInfo, PluginProblem, Reference
from concurrent_framework.config import Config, options_of
from concurrent_framework.config.config import refusal
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from concurrent_framework.components.plugins import Plugin
    from concurrent_framework.config import Described, Option

T = TypeVar("T")
C = TypeVar("C", bound=Component)


class ComponentManager:
    """Knows components and holds one instance of each that is used.

    There is no global one: whoever starts a node makes one and passes it on. Components are known
    in the order in which they were added: first those given here, then what `discover` finds.

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
        self._catalog = Catalog(self.config)
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
        with self._lock:
            for component in components:
                self._catalog.add(component, origin)

    def discover(
        self, folder: Path | None = None, *, installed: bool = True, commands: bool = False
    ) -> None:
        """Find and import plug-ins, except those that the configuration switches off.

        A plug-in that raises is reported with its traceback and left out; the rest is there. Two
        plug-ins that get in each other's way are told by `check`.

        Args:
            folder: ``plugins/`` of an environment, None for none.
            installed: whether to look for installed packages that announce components.
            commands: whether for those that announce commands, too.

        """
        import sys

        from concurrent_framework.components import plugins

        # What is switched off has to be known, or the switch would be taken for a mistake.
        all_of_them = commands or self.config.section(SECTION)
        groups = (plugins.GROUP, plugins.COMMANDS) if all_of_them else (plugins.GROUP,)
        with self._lock:
            if installed:
                self._import(plugins.installed_plugins(sys.path, groups))
            if folder is not None:
                self._import(plugins.folder_plugins(folder))

    def _import(self, plugins: Iterator[Plugin]) -> None:
        for plugin in plugins:
            if setting := self._catalog.switched_off(plugin.name):
                reason = f"switched off by {setting.source}"
                self._catalog.note(plugin.name, plugin.origin, "disabled", reason)
                continue
            try:
                found = plugin.load()
            except (Exception, SystemExit) as error:  # noqa: BLE001 (plug-ins raise anything)
                summary = self._fail(plugin.origin, "cannot be imported", error)
                self._catalog.note(plugin.name, plugin.origin, "failed", summary)
                continue
            if not found:
                self._catalog.note(plugin.name, plugin.origin, "enabled", "has no components")
            for component in found:
                self._catalog.add_found(component, plugin)

    def _fail(self, origin: str, what: str, error: BaseException) -> str:
        """Keep and report what a plug-in did; return it in one line."""
        from concurrent_framework.components.plugins import own_traceback

        kind = "" if isinstance(error, UsageError) else f"{type(error).__name__}: "
        summary = f"{what}: {kind}{error}"
        self.tell(PluginProblem(origin, summary, own_traceback(error)))
        return summary

    def tell(self, problem: PluginProblem) -> None:
        """Keep a problem and report it."""
        self.problems.append(problem)
        if self._report is not None:
            self._report(problem)

    def create(self, component: type[C], *args: Any, **options: Any) -> C:
        """Make the one instance of a component with arguments of your own.

        Raises:
            UsageError: if there is an instance already.
            Exception: whatever the component's ``__init__`` raises.

        """
        with self._lock:
            entry = self._catalog.add(component, "code")
            if entry.instance is not None:
                message = f"{entry.target} was created before; there is one for each manager"
                raise UsageError(message)
            return cast(C, self._instantiate(entry, component, args, options))

    def adopt(self, instance: Component) -> None:
        """Take in an instance that was made elsewhere; from now on it has this configuration."""
        with self._lock:
            self._catalog.add(type(instance), "code").instance = instance
            instance._manager = self  # noqa: SLF001 (the other half of this class)

    def __getitem__(self, component: type[C]) -> C:
        """Return the one instance of a component, made when it is first asked for.

        Raises:
            UsageError: if it is switched off.
            Exception: whatever the component's ``__init__`` raises.

        """
        with self._lock:
            entry = self._catalog.add(component, "code")
            self._catalog.demand_enabled(entry)
            return cast(C, entry.instance or self._instantiate(entry, component, (), {}))

    def get(self, interface: Callable[..., T], name: str) -> T:
        """Return the component that implements an interface under this name.

        Raises:
            UsageError: if there is none, it is switched off, or it cannot be loaded or made.

        """
        with self._lock:
            entry = self._catalog.find(full_name(cast(type, interface)), name)
            with _telling(entry):
                return cast(T, self._instance(entry))

    def find(self, interface: Callable[..., T], name: str) -> type[T]:
        """Return the class of a component, without making its instance; raises as `get` does."""
        entry = self._catalog.find(full_name(cast(type, interface)), name)
        with _telling(entry):
            return cast(type[T], entry.load())

    def all(self, interface: Callable[..., T]) -> list[T]:
        """Return the enabled components that implement an interface, in order.

        One that cannot be loaded or made is reported and left out from then on.
        """
        found: list[T] = []
        with self._lock:
            for entry in self._catalog.enabled(full_name(cast(type, interface))):
                try:
                    found.append(cast(T, self._instance(entry)))
                except UsageError:
                    raise
                except Exception as error:  # noqa: BLE001 (plug-ins raise anything)
                    entry.problem = self._fail(str(entry), "cannot be used", error)
        return found

    def names(self, interface: Callable[..., object]) -> list[str]:
        """Return the names of the enabled components that implement an interface, in order."""
        return [one.name for one in self._catalog.enabled(full_name(cast(type, interface)))]

    def _instance(self, entry: Entry) -> Component:
        return entry.instance or self._instantiate(entry, entry.load(), (), {})

    def _instantiate(
        self, entry: Entry, cls: type[Component], args: tuple[Any, ...], options: dict[str, Any]
    ) -> Component:
        """Make an instance that knows its manager before its ``__init__`` runs."""
        instance = cls.__new__(cls, *args, **options)
        instance._manager = self  # noqa: SLF001 (the other half of this class)
        entry.instance = instance
        try:
            instance.__init__(*args, **options)  # type: ignore[misc]
        except BaseException:
            entry.instance = None
            raise
        return instance

    def guard(self, component: object, call: Callable[[], object]) -> None:
        """Call a hook of a component; what it raises is reported and goes no further."""
        try:
            call()
        except Exception as error:  # noqa: BLE001 (plug-ins raise anything)
            self._fail(full_name(type(component)), "raised", error)

    def options(self) -> list[Option[Any]]:
        """Return the options that the enabled components declare; imports all of them for it."""
        *_, all_of_them = self._growing_options()
        return all_of_them

    def _growing_options(self) -> Iterator[list[Option[Any]]]:
        """Yield the options of what is imported, then once more after each further import."""
        entries = list(self._catalog.enabled())
        found = [one.cls for one in entries if one.is_loaded() and one.cls is not None]
        yield _options_of(found)
        for entry in entries:
            if entry.cls is None:
                try:
                    found.append(entry.load())
                except Exception as error:  # noqa: BLE001 (a missing extra, a broken plug-in)
                    entry.problem = self._fail(str(entry), "cannot be loaded", error)
                yield _options_of(found)

    def check(self, *, unknown: bool = True) -> None:
        """Check the configuration against the options and components there are.

        Components are imported only as long as something was set that none of those imported so
        far knows; all of them if any is switched off, since that may be one they select.

        Args:
            unknown: False to leave alone what no component here knows, because the configuration
                was made for several processes and checked as a whole by another one.

        Raises:
            UsageError: a line for each problem: where it was set, the key, what is expected or
                which known key is the nearest; and components that have the same name.

        """
        options: list[Option[Any]] = []
        switched = self.config.section(SECTION)
        for options in self._growing_options():
            if not switched and not self.config.unknown(options, free=[SECTION]):
                break
        problems = self._catalog.problems(unknown=unknown)
        problems += self.config.problems(options, free=[SECTION], unknown=unknown)
        problems += self._unknown_names(options)
        if problems:
            raise UsageError("\n".join(problems))

    def _unknown_names(self, options: list[Option[Any]]) -> Iterator[str]:
        """Say which options select a component that there is not, or that is switched off."""
        for option in options:
            if option.selects is None:
                continue
            names = self.names(option.selects)
            if setting := self.config.setting(option):
                if setting.value not in names:
                    yield refusal(option, setting, _one_of(names), names)
            elif off := self._catalog.off(full_name(option.selects), option.default):
                yield (
                    f"{off.where} switches off what {option.path} is by default: "
                    f"set that to {_one_of(names)}"
                )

    def describe_options(self) -> list[Described]:
        """Return every option of every component, with value, source, type and doc.

        Raises:
            UsageError: if something was set that is not of its option's type.

        """
        options = self.options()
        selecting = {one.path: one.selects for one in options if one.selects is not None}
        rows = []
        for row in self.config.describe(options):
            interface = selecting.get(f"{row.section}.{row.key}")
            if interface is not None:
                rows.append(row._replace(expected=_one_of(self.names(interface))))
            else:
                rows.append(row)
        return rows

    def describe(self) -> list[ComponentInfo]:
        """Return what is known of each component, and of each plug-in that has none to show."""
        return self._catalog.describe()


@contextmanager
def _telling(entry: Entry) -> Iterator[None]:
    """Turn what a component raises in here into a UsageError that names it."""
    try:
        yield
    except UsageError:
        raise
    except Exception as error:
        message = f"{entry.name!r} ({entry}) cannot be used: {type(error).__name__}: {error}"
        raise UsageError(message) from error


def _one_of(names: list[str]) -> str:
    return " or ".join(f'"{name}"' for name in names) or "the name of a component (there is none)"


def _options_of(components: list[type[Component]]) -> list[Option[Any]]:
    found = {id(option): option for one in components for option in options_of(one)}
    return list(found.values())
