"""`CodeShipper`: what has to travel so that a class can be used on another machine.

- A class of an installed package, or of this framework, is imported there: nothing travels.
- A class of the user's own module: a *bundle* of that module (of its whole package), of the user's
  own modules that it imports, and of those that are loaded, which the data of a task may refer to.
- A class of a script, a notebook or a function travels by value, with such a bundle of what it uses.
"""

from __future__ import annotations

import hashlib
import io
import linecache
import pickle
import sys

from concurrent_framework.code.collect import Collection, main_source
from concurrent_framework.code.locate import find_local, is_importable, loaded_local_modules
from concurrent_framework.model.errors import UsageError
from concurrent_framework.model.spec import CodeBlob, CodeReference

BUNDLE = "bundle"
PICKLE = "pickle"
ORIGINS = ".origins"
"""File in a bundle that says where its modules came from, for tracebacks: ``name<TAB>path``."""
MAX_DEFINITION_BYTES = 16 * 1024 * 1024

_EPOCH = (1980, 1, 1, 0, 0, 0)


class CodeShipper:
    """Finds the code of classes, for one run of an application.

    Files are read when the first class needs them and are taken as they were then, so that one run
    uses one version of each; the next run picks edits up.

    Example:
        >>> reference, blobs = CodeShipper().reference(int)
        >>> reference.module, reference.bundle, blobs
        ('builtins', '', [])

    """

    def __init__(self) -> None:
        self._collection = Collection()
        self._bundles: dict[int, CodeBlob | None] = {}

    def reference(self, cls: type) -> tuple[CodeReference, list[CodeBlob]]:
        """Return how a class is found elsewhere, and the code that must be there.

        Raises:
            UsageError: if the code is too large or cannot be read.
            Exception: what pickling a class by value raises, such as `pickle.PicklingError`.

        """
        top = cls.__module__.partition(".")[0]
        if not is_importable(cls):
            return self._by_value(cls)
        if find_local(top) is None:
            return CodeReference(cls.__module__, cls.__qualname__), []
        bundle = self._bundle({top})
        reference = CodeReference(cls.__module__, cls.__qualname__, bundle.digest if bundle else "")
        return reference, [bundle] if bundle else []

    def _by_value(self, cls: type) -> tuple[CodeReference, list[CodeBlob]]:
        from concurrent_framework.code.by_value import definition_of

        definition = definition_of(cls)
        needed = {name.partition(".")[0] for name in definition.modules}
        if cls.__module__ == "__main__":
            needed.update(self._collection.local_imports(main_source()))
        sources = {name: "".join(linecache.getlines(name)) for name in sorted(definition.files)}
        data = pickle.dumps((sys.version_info[:2], sources, definition.data), 5)
        if len(data) > MAX_DEFINITION_BYTES:
            message = (
                f"the definition of {cls.__qualname__} takes {len(data) / 2**20:.1f} MiB, "
                f"{MAX_DEFINITION_BYTES // 2**20} MiB at most: it uses a large global value; give "
                "that to the tasks as an attribute, or load it in __call__"
            )
            raise UsageError(message)
        blob = _blob(PICKLE, data)
        bundle = self._bundle(needed)
        blobs = [blob] if bundle is None else [bundle, blob]
        reference = CodeReference(
            "", cls.__qualname__, bundle.digest if bundle else "", blob.digest
        )
        return reference, blobs

    def _bundle(self, needed: set[str]) -> CodeBlob | None:
        self._collection.require(needed)
        self._collection.offer(loaded_local_modules())
        count = len(self._collection.files)
        if count not in self._bundles:
            self._bundles[count] = _pack(self._collection) if count else None
        return self._bundles[count]


def _pack(collection: Collection) -> CodeBlob:
    """Make the bundle; the same files in the same places make the same bytes."""
    import zipfile

    origins = "".join(f"{name}\t{path}\n" for name, path in sorted(collection.origins.items()))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in sorted({**collection.files, ORIGINS: origins.encode()}.items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data, compresslevel=1)
    return _blob(BUNDLE, buffer.getvalue())


def _blob(kind: str, data: bytes) -> CodeBlob:
    return CodeBlob(hashlib.sha256(data).hexdigest(), kind, data)
