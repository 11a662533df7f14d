"""Options: the typed settings a component declares."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar, overload

from concurrent_framework.config.values import Rule, kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.config.config import Config
    from concurrent_framework.config.values import Unit

T = TypeVar("T")
S = TypeVar("S", bool, int, float, str)

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class _Configured(Protocol):
    @property
    def config(self) -> Config: ...


class Option(Generic[T]):
    """A typed setting, declared as a class attribute of the component that uses it.

    Reading it on an instance gives the value from the instance's `config`; it is checked then, and
    before by `Config.check`. The type is that of the default: bool, int, float, str, or a tuple of
    str.

    Args:
        section: table of ``env.toml`` it is in, lower case with underscores.
        key: its name there, likewise.
        default: the value when nothing is set. With None, `kind` says the type.
        kind: bool, int, float or str, for an option whose default is None.
        choices: all allowed values, empty for any.
        minimum: smallest number allowed, or number of entries of a list; None for any.
        maximum: largest number allowed, or number of entries of a list; None for any.
        unit: ``bytes`` or ``seconds``: the value is a number of these and may also be written as
            text with a unit, ``"512 MiB"`` or ``"2 min"``.
        doc: what it does, in a sentence or two.
        secret: True for passwords and the like, which no listing and no message shows.
        selects: an interface, for an option whose value is the name of a component that implements
            it. A name that no component has is then found when the configuration is checked.

    Raises:
        ValueError: for a declaration that cannot be: a bad name, or a default out of bounds.

    Example:
        >>> from concurrent_framework.components import Component
        >>> class Watch(Component):
        ...     lease = Option("watch", "lease", default=10.0, minimum=0.5, unit="seconds",
        ...                    doc="How long a silent peer is believed to live.")
        >>> Watch().lease
        10.0

    """

    @overload
    def __init__(
        self: Option[tuple[str, ...]],
        section: str,
        key: str,
        *,
        default: list[str] | tuple[str, ...],
        choices: Sequence[str] = (),
        minimum: int | None = None,
        maximum: int | None = None,
        doc: str = "",
        secret: bool = False,
    ) -> None: ...
    @overload
    def __init__(
        self: Option[S | None],
        section: str,
        key: str,
        *,
        default: None,
        kind: type[S],
        choices: Sequence[S] = (),
        minimum: float | None = None,
        maximum: float | None = None,
        unit: Unit = "",
        doc: str = "",
        secret: bool = False,
    ) -> None: ...
    @overload
    def __init__(
        self,
        section: str,
        key: str,
        *,
        default: T,
        choices: Sequence[T] = (),
        minimum: float | None = None,
        maximum: float | None = None,
        unit: Unit = "",
        doc: str = "",
        secret: bool = False,
        selects: type | None = None,
    ) -> None: ...
    def __init__(
        self,
        section: str,
        key: str,
        *,
        default: Any,
        kind: type | None = None,
        choices: Sequence[Any] = (),
        minimum: float | None = None,
        maximum: float | None = None,
        unit: Unit = "",
        doc: str = "",
        secret: bool = False,
        selects: type | None = None,
    ) -> None:
        for name in (section, key):
            if not _NAME.fullmatch(name):
                message = (
                    f"Option({section!r}, {key!r}): {name!r} is not lower_case_with_underscores"
                )
                raise ValueError(message)
        named = kind_of(default if kind is None else kind)
        if named is None or (unit and named not in ("int", "float")):
            message = f"Option {section}.{key}: no option can have the type of {default!r} here"
            raise ValueError(message)
        self.section = section
        self.key = key
        self.rule = Rule(named, unit, choices, minimum, maximum)
        self.doc = doc
        self.secret = secret
        self.selects = selects
        try:
            value: Any = self.rule.convert(default, text=False) if default is not None else None
        except ValueError:
            message = (
                f"Option {section}.{key}: its default {default!r} is not {self.rule.expected()}"
            )
            raise ValueError(message) from None
        self.default: T = value

    @property
    def path(self) -> str:
        """How people name it: ``section.key``."""
        return f"{self.section}.{self.key}"

    def same_as(self, other: Option[Any]) -> bool:
        """Whether two declarations of one key mean the same."""
        return (
            self.path == other.path
            and self.default == other.default
            and self.rule.kind == other.rule.kind
            and self.rule.expected() == other.rule.expected()
        )

    def __repr__(self) -> str:
        return f"Option({self.section!r}, {self.key!r}, default={self.default!r})"

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: _Configured, owner: type) -> T: ...
    def __get__(self, instance: _Configured | None, owner: type) -> Self | T:
        if instance is None:
            return self
        return instance.config.value(self)


def options_of(owner: type) -> list[Option[Any]]:
    """Return the options a class declares, inherited ones included, in order of declaration."""
    found: dict[str, Option[Any]] = {}
    for ancestor in reversed(owner.__mro__):
        for name, member in vars(ancestor).items():
            found.pop(name, None)
            if isinstance(member, Option):
                found[name] = member
    return list(found.values())
