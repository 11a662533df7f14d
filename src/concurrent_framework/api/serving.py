"""Giving a node its HTTP server: the tokens, the file by which commands find it, the link."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import msgspec

from concurrent_framework.api.access import API_FILE, Access
from concurrent_framework.api.context import ApiContext
from concurrent_framework.api.options import ApiOptions
from concurrent_framework.security.private import write_private
from concurrent_framework.security.tokens import TokenBook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from concurrent_framework.components import ComponentManager
    from concurrent_framework.launch.beside import NodeFacts


def is_wanted(components: ComponentManager, *, default: bool) -> bool:
    """Whether a node with this configuration serves its API."""
    wanted = components.config.value(ApiOptions.enabled)
    return default if wanted is None else bool(wanted)


def beside(facts: NodeFacts) -> AbstractContextManager[str]:
    """Serve a node's API while the block runs, if its configuration says so; give what to print.

    Args:
        facts: the node.

    """
    default = facts.kind == "master"
    return _served(facts) if is_wanted(facts.components, default=default) else nullcontext("")


def always_beside(facts: NodeFacts) -> AbstractContextManager[str]:
    """Serve a node's API while the block runs, because somebody asked for it."""
    return _served(facts)


@contextmanager
def _served(facts: NodeFacts) -> Iterator[str]:
    from concurrent_framework.api.launching import Launcher
    from concurrent_framework.api.server import ApiServer

    book = facts.book or TokenBook(facts.directory / "tokens.json")
    token = facts.token("admin") if facts.token is not None else book.create("admin", note="link")
    api = ApiContext(
        facts.kind, facts.name, facts.components, facts.stats.snapshot, facts.status, book
    )
    api.plugins = facts.plugins
    if facts.kind == "master" and facts.connection is not None:
        endpoint = facts.connection.endpoint
        api.launcher = Launcher(facts.components, endpoint, facts.directory, facts.plugins)
    port = facts.components.config.value(ApiOptions.port)
    with ApiServer(api, port, facts) as server:
        access = Access(server.url, token)
        write_private(facts.directory / API_FILE, msgspec.json.encode(access))
        yield f"to see and steer it (the link lets in: keep it private):\n  {access.link}"
