"""How tables of an older format become those of the present one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Connection


def _allow_files(connection: Connection) -> None:
    for column in ("file", "size"):
        connection.exec_driver_sql(f"ALTER TABLE concurrent_entries ADD COLUMN {column} BIGINT")


MIGRATIONS: Mapping[int, Callable[[Connection], None]] = {1: _allow_files}
"""By version of the format: what changes the tables to the next version."""
