"""The list of known components: what they are called, and whether they are switched on."""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from concurrent_framework.components.component import Component, component_name, interfaces_of
from concurrent_framework.components.interface import full_name
from concurrent_framework.components.reference import ComponentInfo, Reference
from concurrent_framework.config.nearest import nearest
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from concurrent_framework.components.plugins import Plugin
    from concurrent_framework.config import Config, Setting

SECTION = "components"
"""Section of the configuration that switches components and plug-ins on and off by name."""

_STATES = {
    "enabled": True,
    "true": True,
    "on": True,
    "disabled": False,
    "false": False,
    "off": False,
}


class Entry:
    """A component that is known, imported or not.

    Args:
        reference: its name, where it is, and what it implements.
        origin: where it comes from, for people.
        plugin: name of the plug-in it belongs to, empty if there is none.

    """

    __slots__ = ("cls", "instance", "interfaces", "name", "origin", "plugin", "problem", "target")

    def __init__(self, reference: Reference, origin: str, plugin: str = "") -> None:
        self.name, self.target, self.interfaces = reference
        self.origin = origin
        self.plugin = plugin
        self.cls: type[Component] | None = None
        self.instance: Component | None = None
        self.problem = ""

    def __str__(self) -> str:
        return f"{self.target}, {self.origin}"

    def define(self, component: type[Component], reference: Reference) -> None:
        """Take the class, or a new definition of it, as notebooks make them."""
        self.name, self.target, self.interfaces = reference
        self.cls, self.instance, self.problem = component, None, ""

    def is_loaded(self) -> bool:
        """Whether the class is there without importing anything."""
        if self.cls is None and self.target.partition(":")[0] in sys.modules:
            with suppress(AttributeError):
                self.load()
        return self.cls is not None

    def load(self) -> type[Component]:
        """Import the class if it was not yet; raises whatever that raises."""
        if self.cls is None:
            module, _, qualname = self.target.partition(":")
            found: Any = import_module(module)
            for part in qualname.split("."):
                found = getattr(found, part)
            self.cls = found
        assert self.cls is not None
        return self.cls


class Catalog:
    """Known components in the order in which they were added.

    Args:
        config: its section ``components`` says what is switched on and off, by the short name of a
            component or plug-in or by ``module:Class``: ``"least-loaded" = "disabled"``.

    """

    def __init__(self, config: Config) -> None:
        self._entries: dict[str, Entry] = {}
        self._notes: list[ComponentInfo] = []
        self._conflicts: list[str] = []
        self._switches = {_plain(key): one for key, one in config.section(SECTION).items()}

    def add(self, component: type[Component] | Reference, origin: str, plugin: str = "") -> Entry:
        """Make a component known and return its entry; raises UsageError if its name is taken."""
        if isinstance(component, Reference):
            return self._entry(component, origin, plugin)
        reference = _reference(component)
        entry = self._entry(reference, origin, plugin)
        if entry.cls is not component:
            entry.define(component, reference)
        return entry

    def _entry(self, reference: Reference, origin: str, plugin: str) -> Entry:
        entry = self._entries.get(reference.target)
        if entry is None:
            entry = Entry(reference, origin, plugin)
            self._demand_unique(entry)
            self._entries[entry.target] = entry
        return entry

    def _demand_unique(self, entry: Entry) -> None:
        for other in self._entries.values():
            shared = set(entry.interfaces) & set(other.interfaces)
            if entry.name != other.name or not shared:
                continue
            if self.switch_of(entry) or self.switch_of(other):
                continue
            interface = min(shared).rpartition(":")[2]
            message = (
                f"two components for {interface} are called {entry.name!r}: {other}; and {entry}. "
                f'Rename one or switch it off: [{SECTION}] "{entry.target}" = "disabled"'
            )
            raise UsageError(message)

    def add_found(self, component: type[Component], plugin: Plugin) -> None:
        """Make a component of a plug-in known; if its name is taken, `problems` tells."""
        try:
            self.add(component, plugin.origin, plugin.name)
        except UsageError as error:
            self._conflicts.append(str(error))
            info = _info(
                Entry(_reference(component), plugin.origin, plugin.name), "failed", str(error)
            )
            self._notes.append(info)

    def note(self, name: str, origin: str, state: str, reason: str) -> None:
        """Keep what became of a plug-in that has no components to show."""
        self._notes.append(ComponentInfo(name, "", (), origin, state, reason, name))

    def find(self, interface: str, name: str) -> Entry:
        """Return the enabled component of an interface with this name, or raise UsageError."""
        entries = [one for one in self._entries.values() if interface in one.interfaces]
        named = [one for one in entries if one.name == name]
        for entry in named:
            if not self.switch_of(entry):
                return entry
        for entry in named:
            self.demand_enabled(entry)
        short = interface.rpartition(":")[2]
        names = [one.name for one in entries if not self.switch_of(one)]
        message = f"no {short} is called {name!r}; "
        if near := nearest(name, names):
            message += f"did you mean {near!r}? "
        message += f"There is {', '.join(names)}" if names else "none is installed"
        raise UsageError(message)

    def off(self, interface: str, name: str) -> Setting | None:
        """Return what switches off the only components of this name, None if one is on."""
        switches = [
            self.switch_of(entry)
            for entry in self._entries.values()
            if interface in entry.interfaces and entry.name == name
        ]
        return switches[0] if switches and all(switches) else None

    def enabled(self, interface: str = "") -> Iterator[Entry]:
        """Yield the components of an interface (or all) that are on and did not fail."""
        for entry in list(self._entries.values()):
            if interface and interface not in entry.interfaces:
                continue
            if not entry.problem and not self.switch_of(entry):
                yield entry

    def demand_enabled(self, entry: Entry) -> None:
        """Raise UsageError if a component is switched off."""
        if setting := self.switch_of(entry):
            message = f"{entry.name!r} ({entry}) is switched off by {setting.source}"
            raise UsageError(message)

    def switch_of(self, entry: Entry) -> Setting | None:
        """Return the setting that switches a component off, None if it is on."""
        return self.switched_off(entry.target, entry.name, entry.plugin)

    def switched_off(self, *names: str) -> Setting | None:
        """Return the setting that switches something off; the first name that is set decides."""
        for name in names:
            if (setting := self._switches.get(_plain(name))) is not None:
                return None if _state(setting) is not False else setting
        return None

    def problems(self, *, unknown: bool) -> list[str]:
        """Return a line for each name taken twice, and for each switch that cannot be meant.

        Args:
            unknown: whether a switch for what is not there is one.

        """
        known = {
            *(
                name
                for one in self._entries.values()
                for name in (one.name, one.target, one.plugin)
            ),
            *(note.plugin for note in self._notes),
        }
        plain = {_plain(name) for name in known}
        found = list(self._conflicts)
        for name, setting in self._switches.items():
            if name not in plain and unknown:
                near = nearest(setting.key, known)
                hint = f'; did you mean "{near}"?' if near else ""
                found.append(
                    f"{setting.where}: there is no component or plug-in of this name{hint}"
                )
            elif _state(setting) is None:
                found.append(f'{setting.where} = {setting.value}: expected "enabled" or "disabled"')
        return found

    def describe(self) -> list[ComponentInfo]:
        """Return a row for each component, and for each plug-in that has none to show."""
        rows = []
        for entry in self._entries.values():
            if entry.problem:
                rows.append(_info(entry, "failed", entry.problem))
            elif setting := self.switch_of(entry):
                rows.append(_info(entry, "disabled", f"switched off by {setting.source}"))
            else:
                rows.append(_info(entry, "enabled", ""))
        return rows + self._notes


def _info(entry: Entry, state: str, reason: str) -> ComponentInfo:
    interfaces = tuple(one.rpartition(":")[2] for one in entry.interfaces)
    return ComponentInfo(
        entry.name, entry.target, interfaces, entry.origin, state, reason, entry.plugin
    )


def _reference(component: type[Component]) -> Reference:
    interfaces = tuple(full_name(one) for one in interfaces_of(component))
    return Reference(component_name(component), full_name(component), interfaces)


def _plain(name: str) -> str:
    """Make names comparable: environment variables have neither hyphens nor lower case."""
    return name.lower().replace("_", "-")


def _state(setting: Setting) -> bool | None:
    return _STATES.get(str(setting.value).lower())
