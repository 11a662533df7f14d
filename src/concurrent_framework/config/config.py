"""The configuration: what was set, by whom, and what it means for the declared options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

import msgspec

from concurrent_framework.config.nearest import nearest
from concurrent_framework.config.sources import Setting, from_environ, from_file, from_settings
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from concurrent_framework.config.option import Option

T = TypeVar("T")


class Described(NamedTuple):
    """An option as `concurrent config` shows it.

    Args:
        section: its table.
        key: its name there.
        value: what is in force.
        source: where that comes from: ``default``, ``env.toml:12``, a variable, ``--set``.
        expected: its type and bounds in words.
        default: the value when nothing is set.
        doc: what it does.

    """

    section: str
    key: str
    value: object
    source: str
    expected: str
    default: object
    doc: str


class Config:
    """Settings from a file, the environment and the command line, in rising precedence.

    It never changes after it was made, and can be pickled or written as JSON for a child process.

    Args:
        settings: what was set; a later one replaces an earlier one of the same key.

    Example:
        >>> from concurrent_framework.config import Option
        >>> config = Config.load(None, {"CONCURRENT_MASTER__LEASE": "5"}, ["master.window_tasks=9"])
        >>> config.value(Option("master", "lease", default=10.0))
        5.0

    """

    def __init__(self, settings: Iterable[Setting] = ()) -> None:
        self._settings = {(one.section, one.key): one for one in settings}
        self._values: dict[Option[Any], Any] = {}

    @classmethod
    def load(
        cls,
        file: Path | None = None,
        environ: Mapping[str, str] | None = None,
        settings: Sequence[str] = (),
    ) -> Self:
        """Read the configuration.

        Args:
            file: a TOML file, None for none.
            environ: variables; ``CONCURRENT_SECTION__KEY`` are read, others ignored.
            settings: ``section.key=value`` each, as given with ``--set``.

        Raises:
            UsageError: if a source is malformed, naming file and line. Keys and types are
                checked by `check`, since only then all options are known.

        """
        return cls(
            [
                *(from_file(file) if file is not None else ()),
                *from_environ(environ or {}),
                *from_settings(settings),
            ]
        )

    def replace(self, values: Mapping[str, object], source: str) -> Config:
        """Return a configuration in which these ``section.key`` are set as well.

        Args:
            values: what to set; None removes a setting, so that the default holds.
            source: who sets it, for people.

        """
        settings = dict(self._settings)
        for path, value in values.items():
            section, _, key = path.partition(".")
            settings.pop((section, key), None)
            if value is not None:
                settings[section, key] = Setting(section, key, value, source)
        return Config(settings.values())

    def value(self, option: Option[T]) -> T:
        """Return an option's value; raises UsageError if what was set is not of its type."""
        try:
            return self._values[option]  # type: ignore[no-any-return]
        except KeyError:
            pass
        setting = self.setting(option)
        value = option.default if setting is None else _convert(option, setting)
        self._values[option] = value
        return value

    def section(self, name: str) -> dict[str, Setting]:
        """Return what was set in a section, by key."""
        return {key: one for (section, key), one in self._settings.items() if section == name}

    def source(self, option: Option[Any]) -> str:
        """Return where an option's value comes from: ``default``, or as in `Setting.source`."""
        setting = self.setting(option)
        return "default" if setting is None else setting.source

    def setting(self, option: Option[Any]) -> Setting | None:
        """Return what was set for an option, None if nothing was."""
        return self._settings.get((option.section, option.key))

    def unknown(self, options: Iterable[Option[Any]], free: Sequence[str] = ()) -> list[Setting]:
        """Return what was set although none of these options declares it.

        Args:
            options: the declared options.
            free: sections whose keys are not options.

        """
        known = {(option.section, option.key) for option in options}
        return [
            one
            for path, one in self._settings.items()
            if path not in known and one.section not in free
        ]

    def problems(
        self, options: Iterable[Option[Any]], free: Sequence[str] = (), *, unknown: bool = True
    ) -> list[str]:
        """Return a line for each setting that is of a wrong type or, if `unknown`, not known."""
        declared = list(options)
        strangers = self.unknown(declared, free) if unknown else []
        found = [_unknown(one, declared, free) for one in strangers]
        seen: dict[str, Option[Any]] = {}
        for option in declared:
            if not (first := seen.setdefault(option.path, option)).same_as(option):
                found.append(
                    f"{option.path} is declared twice, with different meanings: "
                    f"{first.rule.expected()}, default {first.default!r}; and "
                    f"{option.rule.expected()}, default {option.default!r}"
                )
            try:
                self.value(option)
            except UsageError as error:
                found.append(str(error))
        return list(dict.fromkeys(found))

    def check(self, options: Iterable[Option[Any]], free: Sequence[str] = ()) -> None:
        """Check everything that was set.

        Args:
            options: all options there are, those of plug-ins included.
            free: sections whose keys are not options.

        Raises:
            UsageError: a line for each problem: where it was set, the key, what is expected or
                which known key is the nearest.

        """
        if problems := self.problems(options, free):
            raise UsageError("\n".join(problems))

    def describe(self, options: Iterable[Option[Any]]) -> Iterator[Described]:
        """Yield every option with its value and source, sorted by section and key."""
        by_path = {option.path: option for option in options}
        for _, option in sorted(by_path.items()):
            yield Described(
                section=option.section,
                key=option.key,
                value=self._shown(option),
                source=self.source(option),
                expected=option.rule.expected(),
                default=option.default,
                doc=option.doc,
            )

    def _shown(self, option: Option[Any]) -> object:
        value = self.value(option)
        return "(not shown)" if option.secret and value != option.default else value

    def to_json(self) -> bytes:
        """Write the configuration for another process, which reads it with `from_json`."""
        return msgspec.json.encode(list(self._settings.values()))

    @classmethod
    def from_json(cls, data: bytes | str) -> Self:
        """Read what `to_json` wrote; raises ValueError for anything else."""
        return cls(msgspec.json.decode(data, type=list[Setting]))

    def __bool__(self) -> bool:
        """Whether anything was set."""
        return bool(self._settings)

    def __getstate__(self) -> list[Setting]:
        return list(self._settings.values())

    def __setstate__(self, state: list[Setting]) -> None:
        Config.__init__(self, state)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Config) and self._settings == other._settings

    def __hash__(self) -> int:
        return hash(tuple(self._settings))

    def __repr__(self) -> str:
        inside = ", ".join(one.path for one in self._settings.values())
        return f"<Config {inside or 'defaults'}>"


def _convert(option: Option[T], setting: Setting) -> T:
    try:
        value: T = option.rule.convert(setting.value, text=setting.text)
    except ValueError:
        choices = [str(one) for one in option.rule.choices]
        raise UsageError(refusal(option, setting, option.rule.expected(), choices)) from None
    return value


def refusal(
    option: Option[Any], setting: Setting, expected: str, choices: Sequence[str] = ()
) -> str:
    """Say that a setting is not what was expected, and which choice is nearest to it."""
    written = setting.value if setting.text else _toml(setting.value)
    if option.secret:
        written = "(not shown)"
    near = nearest(str(setting.value), choices)
    hint = f'; did you mean "{near}"?' if near else ""
    return f"{setting.where} = {written}: expected {expected}{hint}"


def _toml(value: object) -> str:
    """Write a value about as it stands in the file."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _unknown(setting: Setting, options: Sequence[Option[Any]], free: Sequence[str]) -> str:
    sections = sorted({option.section for option in options} | set(free))
    if setting.section not in sections:
        near = nearest(setting.section, sections)
        hint = f"did you mean [{near}]?" if near else f"known are {', '.join(sections) or 'none'}"
        return f"{setting.where}: there is no section [{setting.section}]; {hint}"
    keys = sorted(option.key for option in options if option.section == setting.section)
    elsewhere = [option.path for option in options if option.key == setting.key]
    if elsewhere:
        near = elsewhere[0]
    elif near := nearest(setting.key, keys):
        near = f"{setting.section}.{near}"
    hint = f"did you mean {near}?" if near else f"[{setting.section}] has {', '.join(keys)}"
    return f"{setting.where}: there is no such option; {hint}"
