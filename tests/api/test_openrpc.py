"""`rpc.discover` returns OpenRPC, valid by its own schema and true to the methods."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from concurrent_framework.api.method import IApiMethods, MethodTable
from concurrent_framework.api.openrpc import document
from concurrent_framework.components import ComponentManager
from concurrent_framework.config import Config
from concurrent_framework.launch.builtin import BUILTIN
from tests.api.test_method import Laboratory

SCHEMAS = Path(__file__).with_name("schemas")


@pytest.fixture(scope="module")
def table() -> MethodTable:
    components = ComponentManager(Config(), [*BUILTIN, Laboratory])
    return MethodTable(["master"], components.all(IApiMethods))


@pytest.fixture(scope="module")
def described(table: MethodTable) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(document(table, "a node")))
    return found


def test_it_is_valid_openrpc(described: dict[str, Any]) -> None:
    of_openrpc = json.loads((SCHEMAS / "openrpc.json").read_text())
    of_schemas = json.loads((SCHEMAS / "json-schema.json").read_text())
    known: Resource[Any] = DRAFT7.create_resource(of_schemas)
    uri = "https://meta.json-schema.tools"
    registry: Registry[Any] = Registry().with_resources([(uri, known), (f"{uri}/", known)])
    jsonschema.Draft7Validator(of_openrpc, registry=registry).validate(described)


def test_every_method_is_in_it(described: dict[str, Any], table: MethodTable) -> None:
    assert [one["name"] for one in described["methods"]] == [one.name for one in table.all()]


def test_every_method_and_parameter_is_described(described: dict[str, Any]) -> None:
    missing = [
        one["name"] for one in described["methods"] if not one["summary"].endswith((".", "…"))
    ]
    missing += [
        f"{one['name']}: {parameter['name']}"
        for one in described["methods"]
        for parameter in one["params"]
        if not parameter.get("description")
    ]
    assert missing == []


def test_what_a_plug_in_adds_is_in_it_with_bounds(described: dict[str, Any]) -> None:
    (one,) = [each for each in described["methods"] if each["name"] == "laboratory.temperature"]
    assert one["params"] == [
        {
            "name": "room",
            "required": False,
            "description": "Which room.",
            "schema": {"type": "integer", "minimum": 1, "default": 1},
        }
    ]
    assert one["result"]["schema"] == {"type": "number"}
    assert one["x-role"] == "observe"
