"""The description of a node's methods as an OpenRPC document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from concurrent_framework import __version__
from concurrent_framework.api.rpc import MEANINGS

if TYPE_CHECKING:
    from concurrent_framework.api.method import ApiMethod, MethodTable, Parameter

OPENRPC = "1.3.2"


def document(table: MethodTable, title: str) -> dict[str, Any]:
    """Describe all methods of a node.

    Args:
        table: its methods.
        title: what the document is called.

    """
    methods = table.all()
    hints = [hint for method in methods for hint in _hints_of(method)]
    schemas, components = msgspec.json.schema_components(
        hints, ref_template="#/components/schemas/{name}"
    )
    found = iter(schemas)
    return {
        "openrpc": OPENRPC,
        "info": {
            "title": title,
            "version": __version__,
            "description": "Sees and steers a node of Concurrent: JSON-RPC 2.0 at POST /api/1.",
            "license": {"name": "MIT"},
        },
        "methods": [
            _method(method, [next(found) for _ in _hints_of(method)]) for method in methods
        ],
        "components": {
            "schemas": components,
            "errors": {
                _key_of(code): {"code": code, "message": text} for code, text in MEANINGS.items()
            },
        },
    }


def _hints_of(method: ApiMethod) -> list[Any]:
    return [*(one.hint for one in method.parameters), method.result]


def _method(method: ApiMethod, schemas: list[dict[str, Any]]) -> dict[str, Any]:
    *of_parameters, of_result = schemas
    described: dict[str, Any] = {
        "name": method.name,
        "summary": method.summary,
        "tags": [{"name": method.name.partition(".")[0]}],
        "params": [
            _parameter(one, schema)
            for one, schema in zip(method.parameters, of_parameters, strict=True)
        ],
        "result": {"name": "result", "schema": of_result},
        "paramStructure": "either",
        "errors": [{"$ref": f"#/components/errors/{_key_of(code)}"} for code in MEANINGS],
        "x-role": method.role,
    }
    if method.description:
        described["description"] = method.description
    return described


def _parameter(one: Parameter, schema: dict[str, Any]) -> dict[str, Any]:
    text = schema.pop("description", "")
    described: dict[str, Any] = {"name": one.name, "required": one.required, "schema": schema}
    if text:
        described["description"] = text
    if not one.required:
        schema["default"] = one.default
    return described


def _key_of(code: int) -> str:
    return f"error{abs(code)}"
