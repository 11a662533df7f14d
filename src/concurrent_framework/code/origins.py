"""Where the files of an unpacked bundle came from, so that tracebacks name the user's own files."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path

from concurrent_framework.code.blobs import ORIGINS

_IN_BUNDLE = re.compile(r"(.*[/\\][0-9a-f]{64})[/\\](.+)", re.DOTALL)


def original_path(filename: str) -> str:
    """Return where a file of an unpacked bundle came from; any other name as it is."""
    found = _IN_BUNDLE.fullmatch(filename)
    if found is None:
        return filename
    top, separator, rest = found[2].replace(os.sep, "/").partition("/")
    origin = _origins(found[1]).get(top)
    return filename if origin is None else f"{origin}{separator}{rest}"


@lru_cache(maxsize=64)
def _origins(folder: str) -> dict[str, str]:
    try:
        lines = Path(folder, ORIGINS).read_text("utf-8").splitlines()
    except OSError:
        return {}
    return dict(line.split("\t", 1) for line in lines if "\t" in line)
