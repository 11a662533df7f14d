"""`ReceivedCode`: the classes that came to this process, and what to say of them to others."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from concurrent_framework.code.bundle import CodeShipper
from concurrent_framework.code.loader import load_class
from concurrent_framework.code.locate import find_local, is_importable
from concurrent_framework.model.spec import CodeBlob, CodeReference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class ReceivedCode:
    """Loads classes by their references, and knows the references of classes loaded here.

    An executor has one, both to load the tasks it is given and as the source of a `SpawnBook` for
    the tasks that those make.

    Args:
        own_first: see `load_class`; True in applications.

    """

    def __init__(self, *, own_first: bool = False) -> None:
        self._own_first = own_first
        self._paths: dict[str, str] = {}
        self._loaded: dict[CodeReference, Any] = {}
        self._references: dict[type, CodeReference] = {}
        self._known: dict[CodeReference, None] = {}
        self._shipper = CodeShipper()

    def learn(
        self, references: Iterable[CodeReference], paths: Mapping[str, str | os.PathLike[str]]
    ) -> None:
        """Take in references, and where the code of digests lies on this machine."""
        self._paths.update((digest, os.fspath(path)) for digest, path in paths.items())
        self._known.update(dict.fromkeys(references))

    def load(self, reference: CodeReference) -> Any:
        """Return the class of a reference; see `load_class` for what it raises."""
        cls = self._loaded.get(reference)
        if cls is None:
            cls = load_class(reference, self._paths, own_first=self._own_first)
            self._loaded[reference] = cls
            self._references[cls] = reference
        return cls

    def reference(self, cls: type) -> tuple[CodeReference, list[CodeBlob]]:
        """Return how a class is found elsewhere; code only if it did not come from there."""
        known = self._references.get(cls)
        if known is not None:
            return known, []
        if is_importable(cls):
            return self._of_importable(cls)
        for reference in self._known:
            if reference.pickled and reference.qualname == cls.__qualname__:
                with suppress(Exception):  # then the class is not that one
                    self.load(reference)
        known = self._references.get(cls)
        return (known, []) if known is not None else self._by_value(cls)

    def _of_importable(self, cls: type) -> tuple[CodeReference, list[CodeBlob]]:
        file = getattr(sys.modules[cls.__module__], "__file__", None) or ""
        for digest, path in self._paths.items():
            if file.startswith(path + os.sep):
                return CodeReference(cls.__module__, cls.__qualname__, digest), []
        if find_local(cls.__module__.partition(".")[0]) is None:
            return CodeReference(cls.__module__, cls.__qualname__), []
        return self._shipper.reference(cls)

    def _by_value(self, cls: type) -> tuple[CodeReference, list[CodeBlob]]:
        from concurrent_framework.code.by_value import blob_of  # slow to import

        blob = blob_of(cls)
        bundles = [reference.bundle for reference in self._known if reference.bundle]
        bundle = bundles[-1] if bundles else ""
        return CodeReference("", cls.__qualname__, bundle, blob.digest), [blob]
