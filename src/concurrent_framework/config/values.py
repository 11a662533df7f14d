"""How a setting becomes the value of an option: types, units and bounds."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind = Literal["bool", "int", "float", "str", "list"]
Unit = Literal["", "bytes", "seconds"]

_WORDS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}
_FACTORS: dict[str, dict[str, float]] = {
    "bytes": {
        "": 1,
        "b": 1,
        "kb": 1000,
        "mb": 1000**2,
        "gb": 1000**3,
        "tb": 1000**4,
        "kib": 1 << 10,
        "mib": 1 << 20,
        "gib": 1 << 30,
        "tib": 1 << 40,
    },
    "seconds": {
        "": 1,
        "us": 1e-6,
        "ms": 1e-3,
        "s": 1,
        "min": 60,
        "h": 3600,
        "d": 86400,
    },
}
_QUANTITY = re.compile(r"\s*([+-]?[0-9_]*\.?[0-9_]+(?:[eE][+-]?[0-9]+)?|[+-]?inf)\s*([a-zA-Z]*)\s*")
_EXPECTED: dict[Kind, str] = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "list": "a list of texts",
}
_EXPECTED_UNIT: dict[str, str] = {
    "bytes": 'a number of bytes, also as "512 MiB"',
    "seconds": 'a number of seconds, also as "500 ms" or "2 min"',
}


def kind_of(sample: object) -> Kind | None:
    """Return the kind of option whose default (or type) this is, None if there is none."""
    named: dict[type, Kind] = {
        bool: "bool",
        int: "int",
        float: "float",
        str: "str",
        list: "list",
        tuple: "list",
    }
    return named.get(sample if isinstance(sample, type) else type(sample))


class Rule:
    """What values an option takes.

    Args:
        kind: the basic type.
        unit: ``bytes`` or ``seconds`` for numbers that may be written with a unit.
        choices: all that is allowed, empty for anything of the kind.
        minimum: the smallest number allowed (for a list: of entries), None for any.
        maximum: the largest, None for any.

    """

    __slots__ = ("choices", "kind", "maximum", "minimum", "unit")

    def __init__(
        self,
        kind: Kind,
        unit: Unit = "",
        choices: Sequence[Any] = (),
        minimum: float | None = None,
        maximum: float | None = None,
    ) -> None:
        self.kind: Kind = kind
        self.unit: Unit = unit
        self.choices = tuple(choices)
        self.minimum = minimum
        self.maximum = maximum

    def expected(self) -> str:
        """Say in words what is expected, bounds included."""
        if self.choices:
            choices = " or ".join(f'"{one}"' for one in self.choices)
            return choices if self.kind != "list" else f"a list of {choices}"
        text = _EXPECTED_UNIT[self.unit] if self.unit else _EXPECTED[self.kind]
        bounds = [
            f"{word} {bound}"
            for word, bound in (("at least", self.minimum), ("at most", self.maximum))
            if bound is not None
        ]
        suffix = " entries" if bounds and self.kind == "list" else ""
        return text + (f" ({', '.join(bounds)}{suffix})" if bounds else "")

    def convert(self, raw: object, *, text: bool) -> Any:
        """Turn a setting into a value.

        Args:
            raw: what was set: a TOML value, or a string from elsewhere.
            text: whether it came as a string from outside TOML, so that ``"5"`` may be a number.

        Raises:
            ValueError: if it is not what `expected` says.

        """
        value = self._typed(raw, text=text)
        for one in value if self.kind == "list" else (value,):
            if self.choices and one not in self.choices:
                raise ValueError(raw)
        size = len(value) if self.kind == "list" else value
        if isinstance(size, (int, float)) and not isinstance(size, bool):
            if self.minimum is not None and size < self.minimum:
                raise ValueError(raw)
            if self.maximum is not None and size > self.maximum:
                raise ValueError(raw)
        return value

    def _typed(self, raw: object, *, text: bool) -> Any:
        match self.kind:
            case "bool":
                return _boolean(raw, text=text)
            case "int" | "float":
                return self._number(raw, text=text)
            case "str" if isinstance(raw, str):
                return raw
            case "list":
                return _list(raw, text=text)
        raise ValueError(raw)

    def _number(self, raw: object, *, text: bool) -> float:
        if isinstance(raw, str) and (text or self.unit):
            match = _QUANTITY.fullmatch(raw)
            factors = _FACTORS.get(self.unit, {"": 1})
            factor = factors.get(match[2].lower()) if match else None
            if match is None or factor is None:
                raise ValueError(raw)
            number = float(match[1]) if _is_fraction(match[1]) else int(match[1])
            raw = number * factor
        if isinstance(raw, bool) or not isinstance(raw, (int, float)) or math.isnan(raw):
            raise ValueError(raw)
        if self.kind == "float":
            return float(raw)
        if isinstance(raw, float) and not (raw.is_integer() and (text or self.unit)):
            raise ValueError(raw)
        return int(raw)


def _is_fraction(number: str) -> bool:
    return any(mark in number for mark in ".eEn")


def _boolean(raw: object, *, text: bool) -> bool:
    if isinstance(raw, bool):
        return raw
    if text and isinstance(raw, str) and (word := raw.strip().lower()) in _WORDS:
        return _WORDS[word]
    raise ValueError(raw)


def _list(raw: object, *, text: bool) -> tuple[str, ...]:
    if text and isinstance(raw, str):
        return tuple(part for one in raw.split(",") if (part := one.strip()))
    if isinstance(raw, (list, tuple)) and all(isinstance(one, str) for one in raw):
        return tuple(raw)
    raise ValueError(raw)
