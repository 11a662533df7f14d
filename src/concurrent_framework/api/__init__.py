"""The HTTP interface of a node: JSON-RPC, live events, metrics; and a client for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from concurrent_framework.api.client import Client as Client
    from concurrent_framework.api.method import IApiMethods as IApiMethods
    from concurrent_framework.api.method import api_method as api_method

__all__ = ["Client", "IApiMethods", "api_method"]


def __getattr__(name: str) -> Any:
    if name == "Client":
        from concurrent_framework.api.client import Client

        return Client
    if name in __all__:
        from concurrent_framework.api import method

        return getattr(method, name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
