"""The kinds of code blobs, and how blobs are named; shared objects are of `model.spec.DATA`."""

from __future__ import annotations

import hashlib

from concurrent_framework.model.spec import CodeBlob

BUNDLE = "bundle"
"""A zip of modules."""

PICKLE = "pickle"
"""A class by value: see `by_value.blob_of`."""

ORIGINS = ".origins"
"""File in a bundle that says where its modules came from: lines of ``name<TAB>path``."""


def make_blob(kind: str, data: bytes) -> CodeBlob:
    """Name data by its content."""
    return CodeBlob(hashlib.sha256(data).hexdigest(), kind, data)
