"""What `implements` records, and what a class is held to."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
import types
from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar, assert_type

import pytest

import concurrent_framework.components as components_module
from concurrent_framework.components import (
    Component,
    ComponentManager,
    Interface,
    component_name,
    implements,
    interfaces_of,
    optional,
)
from concurrent_framework.model.errors import UsageError

T_co = TypeVar("T_co", covariant=True)


class IGreeter(Interface):
    def greet(self, name: str) -> str:
        """Return a greeting."""


class IFarewell(Interface):
    def part(self, name: str, *, sad: bool = False) -> str:
        """Return a farewell."""


class IListener(Interface):
    @optional
    def opened(self) -> str | None:
        """Do nothing unless overridden."""

    def closed(self) -> None:
        """Told when it is over."""


class Both(Component):
    implements(IGreeter, IFarewell)

    def greet(self, name: str) -> str:
        return f"Hello {name}"

    def part(self, name: str, *, sad: bool = False) -> str:
        return f"Bye {name}{'...' if sad else ''}"


def test_a_component_implements_what_it_says() -> None:
    greeter: IGreeter = Both()
    assert_type(greeter.greet("Ada"), str)
    assert greeter.greet("Ada") == "Hello Ada"
    assert interfaces_of(Both) == (IGreeter, IFarewell)


def test_implements_leaves_nothing_in_the_class() -> None:
    assert "implements" not in vars(Both)
    assert type(vars(Both).copy()) is dict


def test_implements_works_under_any_name() -> None:
    class Impl(Component):
        components_module.implements(IGreeter)

        def greet(self, name: str) -> str:
            return name

    assert interfaces_of(Impl) == (IGreeter,)


def test_nested_components_do_not_mix() -> None:
    class Outer(Component):
        class Inner(Component):
            implements(IGreeter)

            def greet(self, name: str) -> str:
                return name

        implements(IFarewell)

        def part(self, name: str, *, sad: bool = False) -> str:
            return f"{name}{sad}"

    assert interfaces_of(Outer) == (IFarewell,)
    assert interfaces_of(Outer.Inner) == (IGreeter,)


def test_a_class_body_that_raises_leaves_nothing_behind() -> None:
    with pytest.raises(ZeroDivisionError):

        class Broken(Component):
            implements(IGreeter)
            value = 1 / 0

    with pytest.raises(UsageError, match="only inside the body"):
        implements(IGreeter)


def test_a_nested_body_that_raises_does_not_take_the_outer_ones_notes() -> None:
    kept: list[BaseException] = []  # keeps the traceback, hence the namespace, alive

    class Outer(Component):
        try:

            class Inner(Component):
                implements(IGreeter)
                value = 1 / 0

        except ZeroDivisionError as error:
            kept.append(error)

    class Next(Component):
        implements(IFarewell)

        def part(self, name: str, *, sad: bool = False) -> str:
            return f"{name}{sad}"

    assert interfaces_of(Outer) == ()
    assert interfaces_of(Next) == (IFarewell,)
    assert kept


def test_class_bodies_of_two_threads_do_not_mix() -> None:
    first_is_open, second_is_done = threading.Event(), threading.Event()
    made: list[type] = []

    def first() -> None:
        class First(Component):
            first_is_open.set()
            assert second_is_done.wait(10)
            implements(IGreeter)

            def greet(self, name: str) -> str:
                return name

        made.append(First)

    thread = threading.Thread(target=first)
    thread.start()
    assert first_is_open.wait(10)

    class Second(Component):
        implements(IFarewell)

        def part(self, name: str, *, sad: bool = False) -> str:
            return f"{name}{sad}"

    second_is_done.set()
    thread.join()
    assert interfaces_of(made[0]) == (IGreeter,)
    assert interfaces_of(Second) == (IFarewell,)


def test_outside_of_a_class_body_implements_is_an_error() -> None:
    with pytest.raises(UsageError, match="inside the body of a class that derives from Component"):
        implements(IGreeter)


@pytest.mark.parametrize("thing", [Both, int, object, "IGreeter"])
def test_only_interfaces_can_be_implemented(thing: Any) -> None:
    with pytest.raises(UsageError, match="no subclass of Interface"):

        class Wrong(Component):
            implements(thing)


def test_a_missing_method_is_named() -> None:
    with pytest.raises(UsageError, match=r"Lazy does not implement IGreeter: IGreeter.greet is"):

        class Lazy(Component):
            implements(IGreeter)


def test_an_abstract_class_may_leave_methods_to_its_subclasses() -> None:
    class Base(Component):
        abstract = True
        implements(IGreeter)

        def name_of(self, name: str) -> str:
            return name.title()

    with pytest.raises(UsageError, match=r"IGreeter.greet is missing"):

        class Unfinished(Base):
            pass

    class Finished(Base):
        def greet(self, name: str) -> str:
            return self.name_of(name)

    assert Finished().greet("ada") == "Ada"
    assert Finished.abstract is False
    assert interfaces_of(Finished) == (IGreeter,)


def test_a_mixin_may_bring_the_method() -> None:
    class Polite:
        def greet(self, name: str) -> str:
            return f"Dear {name}"

    class Impl(Polite, Component):
        implements(IGreeter)

    assert Impl().greet("Ada") == "Dear Ada"


def test_inheriting_an_interface_does_not_count_as_implementing_its_methods() -> None:
    with pytest.raises(UsageError, match="is missing"):

        class Impl(Component, IGreeter):
            pass


def test_an_interface_that_extends_another_demands_both() -> None:
    class IWarmGreeter(IGreeter, Interface):
        def hug(self) -> None:
            """Hug."""

    with pytest.raises(UsageError, match=r"greet is missing; IWarmGreeter.hug is missing"):

        class Cold(Component):
            implements(IWarmGreeter)

    class Warm(Component):
        implements(IWarmGreeter)

        def greet(self, name: str) -> str:
            return name

        def hug(self) -> None: ...

    assert interfaces_of(Warm) == (IWarmGreeter, IGreeter)


def test_an_optional_method_that_is_left_out_is_the_interfaces_own() -> None:
    class Deaf(Component):
        implements(IListener)

        def closed(self) -> None: ...

    class Keen(Deaf):
        def opened(self) -> str:
            return "welcome"

    listener: Any = Deaf()
    assert listener.opened() is None
    assert Keen().opened() == "welcome"


def test_an_attribute_with_a_value_is_a_default() -> None:
    class IPaced(Interface):
        pace: str = "slow"

    class Plain(Component):
        implements(IPaced)

    class Quick(Component):
        implements(IPaced)
        pace = "fast"

    paced: IPaced = Quick()
    assert paced.pace == "fast"
    assert ComponentManager(components=[Plain]).all(IPaced)[0].pace == "slow"


def test_components_mix_with_abstract_and_generic_classes() -> None:
    class Shape(ABC):
        @abstractmethod
        def area(self) -> float: ...

    class Box(Component, Shape, Generic[T_co]):
        def area(self) -> float:
            return 1.0

    assert Box[int]().area() == 1.0


def test_a_generic_interface_can_be_implemented() -> None:
    class IStore(Interface, Generic[T_co]):
        def load(self) -> T_co:
            """Return it."""

    class Numbers(Component):
        implements(IStore)

        def load(self) -> int:
            return 1

    store: IStore[int] = Numbers()
    assert store.load() == 1
    assert interfaces_of(Numbers) == (IStore,)


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        ("LeastLoaded", "least-loaded"),
        ("HTTPServer", "http-server"),
        ("X", "x"),
        ("_My_App2", "my-app2"),
    ],
)
def test_the_default_name_is_the_classs_in_kebab_case(cls: str, name: str) -> None:
    made = types.new_class(cls, (Component,))
    assert component_name(made) == name
    assert made.name == name  # type: ignore[attr-defined]


def test_a_name_is_not_inherited() -> None:
    class Named(Component):
        name = "nobody"

    class Derived(Named):
        pass

    assert (Named.name, Derived.name) == ("nobody", "derived")


def test_a_name_that_is_something_else_is_left_alone() -> None:
    class App(Component):
        @property
        def name(self) -> str:  # type: ignore[override]
            return "mine"

    class Derived(App):
        pass

    assert Derived().name == "mine"
    assert component_name(Derived) == "derived"


def test_a_component_can_be_pickled_by_value_and_rebuilt_elsewhere() -> None:
    code = """
import cloudpickle, sys
from concurrent_framework.components import Component, Interface, implements
class IGreeter(Interface):
    def greet(self, name): ...
class Base(Component):
    abstract = True
    implements(IGreeter)
class Impl(Base):
    name = "short"
    def greet(self, name): return "hi " + name
sys.stdout.buffer.write(cloudpickle.dumps(Impl))
"""
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    rebuilt = pickle.loads(made)
    assert rebuilt().greet("Ada") == "hi Ada"
    assert (rebuilt.name, rebuilt.abstract) == ("short", False)
    assert [one.__name__ for one in interfaces_of(rebuilt)] == ["IGreeter"]
