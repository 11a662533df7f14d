"""The reference page of the API's methods, made of their signatures and docstrings."""

from __future__ import annotations

import json
import sys
from itertools import groupby
from typing import TYPE_CHECKING, Any

from concurrent_framework.api.method import EVERY_NODE, IApiMethods, MethodTable
from concurrent_framework.api.openrpc import document
from concurrent_framework.api.rpc import MEANINGS
from concurrent_framework.components import ComponentManager
from concurrent_framework.config import Config
from concurrent_framework.launch.builtin import BUILTIN

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = """# API methods

JSON-RPC 2.0 at `POST /api/1`; [Seeing and steering](../guides/api.md) shows how to call them. A node tells
its own methods, those of plug-ins included, as an OpenRPC document: `rpc.discover`.

This page is made by `python -m concurrent_framework.api.reference`."""


def page() -> str:
    """Return the page."""
    components = ComponentManager(Config(), BUILTIN)
    table = MethodTable(EVERY_NODE, components.all(IApiMethods))
    described = document(table, "Concurrent")["methods"]
    parts = [HEAD]
    for noun, methods in groupby(described, key=lambda one: one["name"].partition(".")[0]):
        parts.append(f"## {noun}")
        for one in methods:
            nodes = table.get(one["name"])
            assert nodes is not None
            parts += _method(one, " and ".join(nodes.nodes))
    parts.append("## Error codes")
    rows = [f"| {code} | {text} |" for code, text in MEANINGS.items()]
    parts.append("\n".join(["| code | means |", "|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def _method(one: dict[str, Any], nodes: str) -> Iterator[str]:
    yield f"### {one['name']}"
    yield one["summary"]
    if "description" in one:
        yield one["description"]
    yield f"Role: `{one['x-role']}`. Served by: {nodes}."
    if one["params"]:
        rows = [_row(each) for each in one["params"]]
        yield "\n".join(["| parameter | type | default | |", "|---|---|---|---|", *rows])


def _row(parameter: dict[str, Any]) -> str:
    schema = parameter["schema"]
    default = "required" if parameter["required"] else f"`{json.dumps(schema.get('default'))}`"
    text = parameter.get("description", "")
    return f"| `{parameter['name']}` | {_type(schema)} | {default} | {text} |"


def _type(schema: dict[str, Any]) -> str:
    """Say a JSON schema in words."""
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(one)}`" for one in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    words = str(schema.get("type", "any"))
    low, high = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
    if low is not None:
        words += f", {'above' if 'exclusiveMinimum' in schema else 'from'} {low}"
    if high is not None:
        words += f" to {high}"
    return words


if __name__ == "__main__":
    sys.stdout.write(page())
