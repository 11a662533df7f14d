"""Methods about the tokens that let nodes, people and programs in.

What writes does so in a thread: it waits for others that write, and for the disk, while the API answers.
"""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any, Literal

from msgspec import Meta

from concurrent_framework.api.method import Call, IApiMethods, api_method
from concurrent_framework.components import Component, implements
from concurrent_framework.security.tokens import TokenEntry


class TokenMethods(Component):
    """Lists, makes and revokes tokens."""

    implements(IApiMethods)
    name = "api-tokens"

    @api_method("tokens.list", role="admin")
    async def listed(self, call: Call) -> list[dict[str, Any]]:
        """List the tokens: role, when they were made and when they expire; never the secret."""
        return [_described(one) for one in call.api.book.entries()]

    @api_method("tokens.create", role="admin")
    async def create(
        self,
        call: Call,
        role: Annotated[
            Literal["submit", "execute", "observe", "admin"],
            Meta(description="What its owner may do: observe and admin use this API."),
        ],
        days: Annotated[
            Annotated[float, Meta(gt=0)] | None,
            Meta(description="After how many days it expires; null: never."),
        ] = None,
        note: Annotated[str, Meta(max_length=200, description="Whom it is for.")] = "",
    ) -> dict[str, Any]:
        """Make a token and return it: it is shown here and never again."""
        expires = None if days is None else time.time() + days * 86400
        token = await asyncio.to_thread(call.api.book.create, role, expires, note)
        return {"token": token, "role": role, "expires": expires, "note": note}

    @api_method("tokens.revoke", role="admin")
    async def revoke(
        self,
        call: Call,
        token: Annotated[str, Meta(description="Its id, as tokens.list tells it.")],
    ) -> dict[str, Any]:
        """Make a token void for whoever shows it from now on."""
        return _described(await asyncio.to_thread(call.api.book.revoke, token))


def _described(entry: TokenEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "role": entry.role,
        "created": entry.created,
        "expires": entry.expires,
        "expired": entry.expired(time.time()),
        "note": entry.note,
    }
