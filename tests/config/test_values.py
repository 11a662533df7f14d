"""How settings become values."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent_framework.config.values import Kind, Rule, Unit

INT = Rule("int")
FLOAT = Rule("float")
BYTES = Rule("int", unit="bytes")
SECONDS = Rule("float", unit="seconds")


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("bool", True, True),
        ("int", 3, 3),
        ("int", -3, -3),
        ("float", 3, 3.0),
        ("float", 2.5, 2.5),
        ("str", "a", "a"),
        ("str", "", ""),
        ("list", ["a", "b"], ("a", "b")),
        ("list", [], ()),
    ],
)
def test_typed_values_are_taken_as_they_are(kind: Kind, raw: object, value: object) -> None:
    converted = Rule(kind).convert(raw, text=False)
    assert converted == value
    assert type(converted) is type(value)


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("bool", "true", True),
        ("bool", "Yes", True),
        ("bool", "on", True),
        ("bool", "1", True),
        ("bool", "false", False),
        ("bool", " NO ", False),
        ("bool", "off", False),
        ("bool", "0", False),
        ("int", "12", 12),
        ("int", " 1_000 ", 1000),
        ("int", "-4", -4),
        ("int", "1e6", 1_000_000),
        ("float", "1e-3", 0.001),
        ("float", ".5", 0.5),
        ("float", "inf", float("inf")),
        ("str", "12", "12"),
        ("list", "a, b,,c ", ("a", "b", "c")),
        ("list", "", ()),
    ],
)
def test_texts_stand_for_values(kind: Kind, raw: str, value: object) -> None:
    converted = Rule(kind).convert(raw, text=True)
    assert converted == value
    assert type(converted) is type(value)


@pytest.mark.parametrize(
    ("kind", "raw", "text"),
    [
        ("bool", 1, False),
        ("bool", "true", False),
        ("bool", "maybe", True),
        ("int", 2.0, False),
        ("int", True, False),
        ("int", "3", False),
        ("int", "3.5", True),
        ("int", "inf", True),
        ("int", "", True),
        ("int", "3 x", True),
        ("int", "3 MiB", True),
        ("float", True, False),
        ("float", "nan", True),
        ("float", float("nan"), False),
        ("float", "1.2.3", True),
        ("str", 3, False),
        ("str", ["a"], False),
        ("list", "a", False),
        ("list", [1], False),
        ("list", {"a": 1}, False),
    ],
)
def test_what_is_of_another_type_is_refused(kind: Kind, raw: object, text: bool) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (the value is its message; Config makes the words)
        Rule(kind).convert(raw, text=text)


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize(
    ("rule", "raw", "value"),
    [
        (BYTES, "512 MiB", 512 << 20),
        (BYTES, "512MiB", 512 << 20),
        (BYTES, "1.5 gib", 3 << 29),
        (BYTES, "2 GB", 2 * 10**9),
        (BYTES, "100", 100),
        (BYTES, "7 B", 7),
        (BYTES, "1 TiB", 1 << 40),
        (SECONDS, "500 ms", 0.5),
        (SECONDS, "2 min", 120.0),
        (SECONDS, "1.5h", 5400.0),
        (SECONDS, "10", 10.0),
        (SECONDS, "20 us", 2e-5),
        (SECONDS, "1 d", 86400.0),
    ],
)
def test_quantities_may_carry_units(rule: Rule, raw: str, value: float, text: bool) -> None:
    assert rule.convert(raw, text=text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("rule", "raw"),
    [(BYTES, "1 parsec"), (BYTES, "0.3 B"), (SECONDS, "5 MiB"), (SECONDS, "soon"), (BYTES, "inf")],
)
def test_wrong_quantities_are_refused(rule: Rule, raw: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (as above)
        rule.convert(raw, text=True)


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (Rule("int", minimum=1, maximum=4), [1, 4], [0, 5]),
        (Rule("float", minimum=0.5), [0.5, 1e9], [0.4]),
        (Rule("list", minimum=1, maximum=2), [["a"], ["a", "b"]], [[], ["a", "b", "c"]]),
        (Rule("str", choices=["push", "pull"]), ["push"], ["pish", ""]),
        (Rule("list", choices=["a", "b"]), [[], ["a", "b"]], [["a", "c"]]),
        (Rule("int", choices=[1, 2]), [1], [3]),
    ],
)
def test_bounds_and_choices(rule: Rule, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        rule.convert(value, text=False)
    for value in bad:
        with pytest.raises(ValueError):  # noqa: PT011 (as above)
            rule.convert(value, text=False)


def test_a_boolean_has_no_bounds() -> None:
    assert Rule("bool", minimum=3).convert(False, text=False) is False


@pytest.mark.parametrize(
    ("kind", "unit", "options", "words"),
    [
        ("bool", "", {}, "true or false"),
        ("int", "", {"minimum": 1}, "a whole number (at least 1)"),
        ("float", "", {"minimum": 0.5, "maximum": 2}, "a number (at least 0.5, at most 2)"),
        ("str", "", {"choices": ["push", "pull"]}, '"push" or "pull"'),
        ("list", "", {}, "a list of texts"),
        ("list", "", {"maximum": 2}, "a list of texts (at most 2 entries)"),
        ("list", "", {"choices": ["a", "b"]}, 'a list of "a" or "b"'),
        ("int", "bytes", {}, 'a number of bytes, also as "512 MiB"'),
        (
            "float",
            "seconds",
            {"minimum": 0.5},
            'a number of seconds, also as "500 ms" or "2 min" (at least 0.5)',
        ),
    ],
)
def test_expected_says_it_in_words(
    kind: Kind, unit: Unit, options: dict[str, Any], words: str
) -> None:
    assert Rule(kind, unit, **options).expected() == words
