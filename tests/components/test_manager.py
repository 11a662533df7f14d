"""One instance of each component, chosen, switched on and off by the configuration."""

from __future__ import annotations

import pickle
import sys
import threading
from typing import TYPE_CHECKING, assert_type

import pytest

from concurrent_framework.components import (
    Component,
    ComponentManager,
    ExtensionPoint,
    IApp,
    Interface,
    PluginProblem,
    Reference,
    implements,
)
from concurrent_framework.config import Config, Option
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


class IGreeter(Interface):
    def greet(self, name: str) -> str:
        """Return a greeting."""


class Formal(Component):
    implements(IGreeter)
    title = Option("greeting", "title", default="Dr")

    def greet(self, name: str) -> str:
        return f"Good day, {self.title} {name}"


class Casual(Component):
    implements(IGreeter)

    def greet(self, name: str) -> str:
        return f"Hi {name}"


class Hall(Component):
    greeters = ExtensionPoint(IGreeter)

    def __init__(self) -> None:
        self.size = 3

    def welcome(self, name: str) -> list[str]:
        return [greeter.greet(name) for greeter in self.greeters]


def config(*settings: str) -> Config:
    return Config.load(settings=settings)


def test_an_extension_point_lists_components_in_order() -> None:
    manager = ComponentManager(components=[Casual, Hall, Formal])
    hall = manager[Hall]
    assert_type(hall.greeters, list[IGreeter])
    assert hall.welcome("Ada") == ["Hi Ada", "Good day, Dr Ada"]
    assert manager.names(IGreeter) == ["casual", "formal"]
    assert Hall.greeters.interface is IGreeter


def test_there_is_one_instance_per_manager() -> None:
    first, second = ComponentManager(components=[Casual]), ComponentManager(components=[Casual])
    assert first[Casual] is first.get(IGreeter, "casual") is first.all(IGreeter)[0]
    assert first[Casual] is not second[Casual]
    assert first[Casual].components is first


def test_a_class_that_was_not_added_is_added_when_it_is_asked_for() -> None:
    manager = ComponentManager()
    assert manager[Casual] is manager[Casual]
    assert manager.names(IGreeter) == ["casual"]


def test_components_need_not_call_our_init_and_have_their_config_before_theirs() -> None:
    class Early(Component):
        level = Option("early", "level", default=1)

        def __init__(self) -> None:
            self.seen = self.level

    assert ComponentManager(config("early.level=7"))[Early].seen == 7


def test_create_passes_arguments_on_and_demands_to_be_the_first() -> None:
    class Sized(Component):
        def __init__(self, size: int, *, unit: str) -> None:
            self.text = f"{size} {unit}"

    manager = ComponentManager()
    assert manager.create(Sized, 3, unit="m").text == "3 m"
    with pytest.raises(UsageError, match="Sized was created before"):
        manager.create(Sized, 4, unit="m")


def test_an_instance_made_directly_has_a_manager_of_its_own() -> None:
    hall = Hall()
    assert hall.greeters == []
    assert Formal().title == "Dr"
    assert hall.components[Hall] is hall


def test_an_adopted_instance_takes_on_the_managers_configuration() -> None:
    formal = Formal()
    manager = ComponentManager(config("greeting.title=Mr"))
    manager.adopt(formal)
    assert formal.greet("Bean") == "Good day, Mr Bean"
    assert manager.get(IGreeter, "formal") is formal


def test_an_error_in_a_constructor_reaches_who_asked_and_leaves_no_half_instance() -> None:
    class Shaky(Component):
        implements(IGreeter)
        fail = True

        def __init__(self) -> None:
            if Shaky.fail:
                raise OSError("disk on fire")

        def greet(self, name: str) -> str:
            return name

    manager = ComponentManager(components=[Shaky])
    with pytest.raises(OSError, match="disk on fire"):
        manager[Shaky]
    with pytest.raises(UsageError, match=r"'shaky' .* cannot be used: OSError: disk on fire"):
        manager.get(IGreeter, "shaky")
    Shaky.fail = False
    assert manager[Shaky].greet("x") == "x"


def test_an_extension_point_reports_a_component_that_raises_once_and_goes_on() -> None:
    class Shaky(Component):
        implements(IGreeter)

        def __init__(self) -> None:
            raise OSError("disk on fire")

        def greet(self, name: str) -> str:
            return name

    reported: list[PluginProblem] = []
    manager = ComponentManager(components=[Shaky, Casual], report=reported.append)
    assert manager.all(IGreeter) == manager.all(IGreeter) == [manager[Casual]]
    assert reported == manager.problems
    (problem,) = reported
    assert problem.summary == "cannot be used: OSError: disk on fire"
    assert "in __init__" in problem.traceback
    assert "components/manager.py" not in problem.traceback
    assert [row.state for row in manager.describe()] == ["failed", "enabled"]


def test_a_wrong_setting_is_told_and_not_taken_for_a_broken_plugin() -> None:
    class Early(Component):
        implements(IGreeter)
        level = Option("early", "level", default=1)

        def __init__(self) -> None:
            self.seen = self.level

        def greet(self, name: str) -> str:
            return name

    manager = ComponentManager(config("early.level=high"), [Early])
    with pytest.raises(UsageError, match=r"--set early.level = high: expected a whole number"):
        manager.all(IGreeter)


def test_components_may_use_each_other_while_they_are_made() -> None:
    class Egg(Component):
        def __init__(self) -> None:
            self.hen = self.components[Hen]

    class Hen(Component):
        def __init__(self) -> None:
            self.egg = self.components[Egg]

    manager = ComponentManager()
    assert manager[Egg].hen.egg is manager[Egg]


def test_threads_that_ask_at_once_get_the_same_instance() -> None:
    barrier = threading.Barrier(4)
    made: list[int] = []

    class Slow(Component):
        def __init__(self) -> None:
            made.append(1)

    manager = ComponentManager()
    found: list[Slow] = []

    def ask() -> None:
        barrier.wait(10)
        found.append(manager[Slow])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == len(set(map(id, found))) == 1


def test_an_unknown_name_is_told_with_the_nearest_and_all_others() -> None:
    manager = ComponentManager(components=[Formal, Casual])
    with pytest.raises(UsageError) as caught:
        manager.get(IGreeter, "casula")
    assert str(caught.value) == (
        "no IGreeter is called 'casula'; did you mean 'casual'? There is formal, casual"
    )


def test_nothing_for_an_interface_is_told() -> None:
    with pytest.raises(UsageError, match="no IApp is called 'mine'; none is installed"):
        ComponentManager(components=[Formal]).get(IApp, "mine")


@pytest.mark.parametrize(
    "setting", ["components.casual=disabled", f"components.{__name__}:Casual=off"]
)
def test_a_component_can_be_switched_off(setting: str) -> None:
    manager = ComponentManager(config(setting), [Formal, Casual])
    manager.check()
    assert manager.names(IGreeter) == ["formal"]
    with pytest.raises(UsageError, match=r"'casual' .*Casual, built-in.* switched off by --set"):
        manager.get(IGreeter, "casual")
    with pytest.raises(UsageError, match="switched off"):
        manager[Casual]
    row = manager.describe()[1]
    assert (row.name, row.interfaces, row.state) == ("casual", ("IGreeter",), "disabled")
    assert row.reason == "switched off by --set"


def test_a_switch_by_class_has_the_last_word() -> None:
    settings = config("components.casual=disabled", f"components.{__name__}:Casual=enabled")
    assert ComponentManager(settings, [Casual]).names(IGreeter) == ["casual"]


def test_an_environment_variable_can_switch_a_component_off() -> None:
    class LeastLoaded(Component):
        implements(IGreeter)

        def greet(self, name: str) -> str:
            return name

    settings = Config.load(environ={"CONCURRENT_COMPONENTS__LEAST_LOADED": "disabled"})
    manager = ComponentManager(settings, [LeastLoaded])
    manager.check()
    assert manager.names(IGreeter) == []


def test_a_switch_for_nothing_and_a_switch_to_nothing_are_told() -> None:
    manager = ComponentManager(
        config("components.casul=disabled", "components.formal=maybe"), [Formal, Casual]
    )
    with pytest.raises(UsageError) as caught:
        manager.check()
    assert str(caught.value).splitlines() == [
        (
            "--set components.casul: there is no component or plug-in of this name; "
            'did you mean "casual"?'
        ),
        '--set components.formal = maybe: expected "enabled" or "disabled"',
    ]


def test_two_components_of_one_name_are_both_named() -> None:
    class Other(Component):
        name = "casual"
        implements(IGreeter)

        def greet(self, name: str) -> str:
            return name

    with pytest.raises(UsageError) as caught:
        ComponentManager(components=[Casual, Other])
    assert "two components for IGreeter are called 'casual'" in str(caught.value)
    assert f"{__name__}:Casual, built-in" in str(caught.value)
    assert "Other, built-in" in str(caught.value)
    switched = config(f"components.{Other.__module__}:{Other.__qualname__}=disabled")
    assert ComponentManager(switched, [Casual, Other]).names(IGreeter) == ["casual"]


def test_one_name_may_stand_for_components_of_different_interfaces() -> None:
    class App(Component):
        name = "casual"
        implements(IApp)

        def app_init(self) -> None: ...

        def app_main(self) -> int:
            return 0

    manager = ComponentManager(components=[Casual, App])
    assert manager.get(IApp, "casual") is manager[App]


def test_a_class_that_is_defined_anew_replaces_the_old_one() -> None:
    def define(text: str) -> type[Component]:
        class Notebook(Component):
            name = text
            implements(IGreeter)

            def greet(self, name: str) -> str:
                return text

        return Notebook

    manager = ComponentManager(components=[define("old")])
    assert manager.get(IGreeter, "old").greet("") == "old"
    manager.add(define("new"))
    assert manager.get(IGreeter, "new").greet("") == "new"
    assert manager.names(IGreeter) == ["new"]


def test_a_component_does_not_travel() -> None:
    with pytest.raises(TypeError, match="Hall is a component and belongs to this process: give"):
        pickle.dumps(ComponentManager()[Hall])


@pytest.fixture
def lazy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reference:
    text = (
        "from concurrent_framework.components import Component, implements\n"
        "from concurrent_framework.config import Option\n"
        "class Lazy(Component):\n"
        "    speed = Option('lazy', 'speed', default=1.5)\n"
        "    def greet(self, name): return name\n"
    )
    (tmp_path / "lazy_greeter.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "lazy_greeter", raising=False)
    return Reference("lazy", "lazy_greeter:Lazy", (f"{__name__}:IGreeter",))


def test_a_reference_is_imported_when_it_is_used(lazy: Reference) -> None:
    manager = ComponentManager(components=[lazy, Casual])
    manager.check()
    assert manager.names(IGreeter) == ["lazy", "casual"]
    assert manager.describe()[0].state == "enabled"
    assert manager.get(IGreeter, "casual").greet("") == "Hi "
    assert "lazy_greeter" not in sys.modules
    assert manager.get(IGreeter, "lazy").greet("Ada") == "Ada"


def test_check_imports_references_only_to_know_what_was_set(lazy: Reference) -> None:
    ComponentManager(config("greeting.title=Sir"), [lazy, Formal]).check()
    assert "lazy_greeter" not in sys.modules
    ComponentManager(config("lazy.speed=2"), [lazy, Formal]).check()
    assert "lazy_greeter" in sys.modules
    with pytest.raises(UsageError, match=r"--set lazy.sped: .* did you mean lazy.speed"):
        ComponentManager(config("lazy.sped=2"), [lazy, Formal]).check()


def test_check_imports_no_more_than_it_needs(lazy: Reference) -> None:
    here = Reference("formal", f"{__name__}:Formal", (f"{__name__}:IGreeter",))
    ComponentManager(config("greeting.title=Sir"), [lazy, here]).check()
    assert "lazy_greeter" not in sys.modules


def test_what_another_process_has_checked_need_not_be_known() -> None:
    settings = config("elsewhere.x=1", "components.stranger=disabled", "greeting.title=Sir")
    manager = ComponentManager(settings, [Formal])
    manager.check(unknown=False)
    with pytest.raises(UsageError, match=r"components.stranger: .*\n.* no section \[elsewhere\]"):
        manager.check()


class Porter(Component):
    style = Option("porter", "style", default="formal", selects=IGreeter)


def test_an_option_may_select_a_component() -> None:
    ComponentManager(components=[Formal, Casual, Porter]).check()
    manager = ComponentManager(config("porter.style=casual"), [Formal, Casual, Porter])
    manager.check()
    assert manager[Porter].style == "casual"
    (row,) = [row for row in manager.describe_options() if row.section == "porter"]
    assert (row.value, row.expected) == ("casual", '"formal" or "casual"')


def test_an_option_that_selects_nobody_is_told() -> None:
    manager = ComponentManager(config("porter.style=casul"), [Formal, Casual, Porter])
    with pytest.raises(UsageError) as caught:
        manager.check()
    assert str(caught.value) == (
        '--set porter.style = casul: expected "formal" or "casual"; did you mean "casual"?'
    )
    with pytest.raises(UsageError, match=r"expected the name of a component \(there is none\)"):
        ComponentManager(config("porter.style=formal"), [Porter]).check()


@pytest.mark.parametrize("target", ["no_such_module:Lazy", "lazy_greeter:Gone"])
def test_a_reference_that_leads_nowhere_is_told(lazy: Reference, target: str) -> None:
    manager = ComponentManager(components=[lazy._replace(target=target), Casual])
    with pytest.raises(UsageError, match=r"'lazy' .*, built-in\) cannot be used: .*Error: "):
        manager.get(IGreeter, "lazy")
    assert manager.all(IGreeter) == [manager[Casual]]
    assert len(manager.problems) == 1
    assert manager.options() == []


def test_options_are_collected_from_all_components() -> None:
    manager = ComponentManager(components=[Formal, Casual])
    assert manager.options() == [Formal.title]


def test_extension_points_want_interfaces() -> None:
    with pytest.raises(UsageError, match="no subclass of Interface"):
        ExtensionPoint(Casual)
