"""API methods are offered by components, and described by their signatures."""

from __future__ import annotations

from typing import Annotated

import pytest
from msgspec import Meta

from concurrent_framework.api.method import Call, IApiMethods, MethodTable, NodeKind, api_method
from concurrent_framework.components import Component, ComponentManager, implements
from concurrent_framework.config import Config
from concurrent_framework.model.errors import UsageError
from tests.api.calls import Examples, Node

KINDS: tuple[NodeKind, ...] = ("master", "worker")


class Laboratory(Component):
    """A plug-in."""

    implements(IApiMethods)
    name = "laboratory"

    @api_method("laboratory.temperature")
    async def temperature(
        self,
        call: Call,
        room: Annotated[int, Meta(ge=1, description="Which room.")] = 1,
    ) -> float:
        """Return the temperature of a room."""
        return 20.0 + room

    @api_method("laboratory.everywhere", nodes=("worker",))
    async def elsewhere(self, call: Call) -> None:
        """Exist on workers only."""


class Rival(Component):
    """Offers the same."""

    implements(IApiMethods)
    name = "rival"

    @api_method("laboratory.temperature")
    async def temperature(self, call: Call) -> float:
        """Return another temperature."""
        return 0.0


def test_a_plug_in_adds_methods() -> None:
    node = Node(Examples, Laboratory)
    assert node.result("laboratory.temperature", {"room": 2}) == 22.0
    assert node.result("laboratory.temperature") == 21.0


def test_bounds_are_checked() -> None:
    node = Node(Laboratory)
    request = {"jsonrpc": "2.0", "method": "laboratory.temperature", "params": [0], "id": 1}
    assert ">= 1" in node.answer(request)["error"]["message"]


def test_a_method_is_on_the_nodes_it_is_for() -> None:
    components = [Laboratory()]
    names = {kind: MethodTable([kind], components).all() for kind in KINDS}
    assert [one.name for one in names["master"]] == ["laboratory.temperature"]
    assert [one.name for one in names["worker"]] == ["laboratory.everywhere"]


def test_two_of_the_same_name_are_refused() -> None:
    with pytest.raises(UsageError, match="Laboratory and Rival"):
        MethodTable(["master"], [Laboratory(), Rival()])


def test_a_component_that_is_switched_off_offers_nothing() -> None:
    config = Config.load(None, {}, ["components.laboratory=false"])
    manager = ComponentManager(config, [Laboratory])
    assert MethodTable(["master"], manager.all(IApiMethods)).all() == []


@pytest.mark.parametrize("name", ["temperature", "Lab.temperature", "lab.", "lab temperature"])
def test_a_name_has_a_noun_and_a_verb(name: str) -> None:
    with pytest.raises(UsageError, match=r"NOUN\.VERB"):
        api_method(name)


class Orders(Component):
    """Needs a master that obeys."""

    implements(IApiMethods)
    name = "orders"

    @api_method("orders.cancel", needs="cancel")
    async def cancel(self, call: Call) -> None:
        """Order something that this master can do."""

    @api_method("orders.levitate", needs="levitate")
    async def levitate(self, call: Call) -> None:
        """Order something that it cannot do."""


def test_an_order_that_the_master_does_not_know_is_no_method() -> None:
    assert [one.name for one in MethodTable(["master"], [Orders()]).all()] == ["orders.cancel"]
