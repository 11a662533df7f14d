"""Making a single file of the copy of a database that has its large entries in files beside it."""

from __future__ import annotations

import sqlite3
import zlib
from contextlib import closing
from typing import TYPE_CHECKING

from concurrent_framework.store.slots import SlotFiles

if TYPE_CHECKING:
    from pathlib import Path

_COLUMNS = "SELECT name FROM pragma_table_info('concurrent_entries')"
_LARGE = "SELECT number, crc32, file, size FROM concurrent_entries WHERE file IS NOT NULL"
_PUT_IN = "UPDATE concurrent_entries SET data = ?, file = NULL, size = NULL WHERE number = ?"


def put_inside(copy: Path, directory: Path) -> bool:
    """Put large entries into the copy of a database.

    Args:
        copy: the copy, which is changed.
        directory: where the original has its files.

    Returns:
        Whether there was a whole file for each. An entry without one is left as it is: whoever opens
        the copy is told.

    Raises:
        sqlite3.Error: the copy is damaged.

    """
    whole = True
    with closing(SlotFiles(directory)) as files, closing(sqlite3.connect(copy)) as database:
        if ("file",) not in database.execute(_COLUMNS).fetchall():
            return True  # it is of something else, or of an earlier version
        for number, crc, file, size in database.execute(_LARGE).fetchall():
            data = files.read(file, size)
            if len(data) == size and zlib.crc32(data) == crc:
                database.execute(_PUT_IN, (data, number))
            else:
                whole = False
        database.commit()
    return whole
