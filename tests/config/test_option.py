"""Options as attributes of components."""

from __future__ import annotations

from typing import Any, Literal, assert_type

import pytest

from concurrent_framework.components import Component, ComponentManager
from concurrent_framework.config import Config, Option, options_of
from concurrent_framework.model.errors import UsageError

Pattern = Literal["push", "pull"]


class Engine(Component):
    lease = Option("engine", "lease", default=10.0, minimum=0.5, unit="seconds", doc="Patience.")
    executors = Option("engine", "executors", default=None, kind=int, minimum=1)
    labels = Option("engine", "labels", default=())
    verbose = Option("engine", "verbose", default=False)
    title = Option("engine", "title", default="none")
    pattern: Option[Pattern] = Option("engine", "pattern", default="push", choices=("push", "pull"))


class Turbo(Engine):
    lease = Option("engine", "lease", default=1.0)
    boost = Option("engine", "boost", default=2)
    title = "fixed"


def engine(*settings: str) -> Engine:
    return ComponentManager(Config.load(settings=settings))[Engine]


def test_types_are_those_of_the_defaults() -> None:
    one = engine()
    assert_type(one.lease, float)
    assert_type(one.executors, int | None)
    assert_type(one.labels, tuple[str, ...])
    assert_type(one.verbose, bool)
    assert_type(one.title, str)
    assert_type(one.pattern, Pattern)
    assert_type(Engine.lease, Option[float])
    values = (one.lease, one.executors, one.labels, one.verbose, one.title, one.pattern)
    assert values == (10.0, None, (), False, "none", "push")


def test_what_was_set_is_read() -> None:
    one = engine("engine.lease=2 min", "engine.executors=4", "engine.labels=gpu,ssd")
    assert (one.lease, one.executors, one.labels) == (120.0, 4, ("gpu", "ssd"))


def test_a_wrong_value_is_told_when_it_is_read() -> None:
    with pytest.raises(UsageError) as caught:
        engine("engine.pattern=pul").pattern  # noqa: B018 (reading is what is tested)
    assert str(caught.value) == (
        '--set engine.pattern = pul: expected "push" or "pull"; did you mean "pull"?'
    )


def test_two_instances_have_their_own_values() -> None:
    assert (engine("engine.lease=1").lease, engine("engine.lease=2").lease) == (1.0, 2.0)


def test_subclasses_inherit_replace_and_drop_options() -> None:
    assert [option.key for option in options_of(Engine)] == [
        "lease",
        "executors",
        "labels",
        "verbose",
        "title",
        "pattern",
    ]
    assert [option.key for option in options_of(Turbo)] == [
        "executors",
        "labels",
        "verbose",
        "pattern",
        "lease",
        "boost",
    ]
    assert Turbo().lease == 1.0


@pytest.mark.parametrize(
    ("arguments", "options", "reason"),
    [
        (("Engine", "x"), {"default": 1}, "'Engine' is not lower_case_with_underscores"),
        (("engine", "x-y"), {"default": 1}, "'x-y' is not lower_case"),
        (("engine", "x__y"), {"default": 1}, "'x__y' is not lower_case"),
        (("engine", "x"), {"default": {}}, "no option can have the type of {}"),
        (("engine", "x"), {"default": "a", "unit": "bytes"}, "no option can have the type"),
        (("engine", "x"), {"default": 1, "minimum": 2}, "its default 1 is not a whole number"),
        (("engine", "x"), {"default": "a", "choices": ["b"]}, "its default 'a' is not"),
        (("engine", "x"), {"default": None}, "no option can have the type of None"),
    ],
)
def test_impossible_declarations_are_refused(
    arguments: tuple[str, str], options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=f"^Option.*{reason}"):
        Option(*arguments, **options)


def test_an_option_shows_what_it_is() -> None:
    assert repr(Engine.lease) == "Option('engine', 'lease', default=10.0)"
    assert Engine.lease.path == "engine.lease"
