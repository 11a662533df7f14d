"""What people may know of the store in which the journal is. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from concurrent_framework.master.state import MasterState


class Stored(Struct):
    """The store, as whoever drives the core sees it after each round.

    Args:
        store: its kind, such as ``sqlite``.
        sync: what an acknowledged task survives in it; empty if it has no such levels.
        place: where it is, for people, without passwords.
        entries: how many it holds.
        bytes: their size.
        pending: rounds whose facts it has not taken yet.

    """

    store: str = ""
    sync: str = ""
    place: str = ""
    entries: int = 0
    bytes: int = 0
    pending: int = 0


def journal(state: MasterState) -> dict[str, Any]:
    """Describe the journal; `enabled` is all there is to say of none."""
    stored = state.stored
    if stored is None:
        return {"enabled": False}
    return {
        "enabled": True,
        "store": stored.store,
        "sync": stored.sync,
        "place": stored.place,
        "life": state.life,
        "entries": stored.entries,
        "bytes": stored.bytes,
        "needed_bytes": sum(one.live_bytes for one in state.applications.values()),
        "pending": stored.pending,
        "trouble": state.trouble,
    }
