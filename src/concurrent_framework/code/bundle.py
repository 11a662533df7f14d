"""`CodeShipper`: what has to travel so that a class can be used on another machine.

- A class of an installed package is imported there: nothing travels.
- A class of this framework is imported there too, but may hold the user's functions: the user's own
  modules that are loaded travel in a *bundle*.
- A class of the user's own module: a bundle of that module (of its whole package), of the user's
  own modules that it imports, and of those that are loaded, which the data of a task may refer to.
- A class of a script, a notebook or a function travels by value, with such a bundle of what it uses.
"""

from __future__ import annotations

import io

from concurrent_framework.code.blobs import BUNDLE, ORIGINS, make_blob
from concurrent_framework.code.collect import Collection, main_source
from concurrent_framework.code.definitions import definition_of, start_run
from concurrent_framework.code.locate import find_local, is_importable, loaded_local_modules
from concurrent_framework.model.spec import CodeBlob, CodeReference

FRAMEWORK = __name__.partition(".")[0]
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
        start_run()
        self._collection = Collection()
        self._bundles: dict[int, CodeBlob | None] = {}

    def reference(self, cls: type) -> tuple[CodeReference, list[CodeBlob]]:
        """Return how a class is found elsewhere, and the code that must be there.

        Raises:
            UsageError: if the code is too large or cannot be read.
            Exception: what pickling a class by value raises, such as `pickle.PicklingError`.

        """
        if not is_importable(cls):
            return self._by_value(cls)
        top = cls.__module__.partition(".")[0]
        if find_local(top) is not None:
            bundle = self._bundle({top})
        elif top == FRAMEWORK:
            # A ready-made class, such as Farm, holds functions of the user's own modules.
            bundle = self._bundle(set())
        else:
            return CodeReference(cls.__module__, cls.__qualname__), []
        reference = CodeReference(cls.__module__, cls.__qualname__, bundle.digest if bundle else "")
        return reference, [bundle] if bundle else []

    def _by_value(self, cls: type) -> tuple[CodeReference, list[CodeBlob]]:
        from concurrent_framework.code.by_value import blob_of  # imports cloudpickle, which is slow

        blob = blob_of(cls)
        needed = {name.partition(".")[0] for name in definition_of(cls).modules}
        if cls.__module__ == "__main__":
            needed.update(self._collection.local_imports([main_source()]))
        bundle = self._bundle(needed)
        blobs = [blob] if bundle is None else [bundle, blob]
        digest = bundle.digest if bundle else ""
        return CodeReference("", cls.__qualname__, digest, blob.digest), blobs

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
    return make_blob(BUNDLE, buffer.getvalue())
