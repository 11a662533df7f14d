"""Pickling of what cannot be imported elsewhere: what scripts, notebooks and functions define.

cloudpickle sends such a class along with every object of it, and where the class is already known,
sets all its attributes anew. Here a class that is already known stays as it is, in both directions:
the application's own class is never changed by a result, nor the executor's by the next task.
"""

from __future__ import annotations

import io
import linecache
import pickle
import sys
from functools import lru_cache
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import cloudpickle  # type: ignore[import-untyped]
from cloudpickle import cloudpickle as internals

from concurrent_framework.code.blobs import PICKLE, make_blob
from concurrent_framework.code.definitions import Definition, definition_of
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from concurrent_framework.model.spec import CodeBlob

PROTOCOL = 5
MAX_DEFINITION_BYTES = 16 * 1024 * 1024


def define(cls: type) -> Definition:
    """Pickle a class by value; raises whatever its parts raise."""
    buffer = io.BytesIO()
    pickler = _DefinitionPickler(buffer)
    pickler.dump(cls)
    return Definition(buffer.getvalue(), frozenset(pickler.files), frozenset(pickler.modules))


def blob_of(cls: type) -> CodeBlob:
    """Make the blob of a class by value: Python's version, the sources of its functions, its pickle.

    Raises:
        UsageError: if it is too large.
        Exception: what its parts raise when they are pickled.

    """
    definition = definition_of(cls)
    for name in definition.files:
        linecache.checkcache(name)
    sources = {name: "".join(linecache.getlines(name)) for name in sorted(definition.files)}
    data = pickle.dumps((sys.version_info[:2], sources, definition.data), PROTOCOL)
    if len(data) > MAX_DEFINITION_BYTES:
        message = (
            f"the definition of {cls.__qualname__} takes {len(data) / 2**20:.1f} MiB, "
            f"{MAX_DEFINITION_BYTES // 2**20} MiB at most: its methods use a large global value; "
            "give that to the tasks as an attribute, or load it in __call__"
        )
        raise UsageError(message)
    return make_blob(PICKLE, data)


def dumps(value: object) -> bytes:
    """Pickle any value; classes that cannot be imported elsewhere carry their definition."""
    buffer = io.BytesIO()
    _ValuePickler(buffer).dump(value)
    return buffer.getvalue()


def travels_by_value(thing: object) -> bool:
    """Whether a class or function cannot be imported by its name, here or elsewhere."""
    return not internals._should_pickle_by_reference(thing)  # noqa: SLF001 (no public way)


class _DefinitionPickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Notes on the way what else the receiver needs."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, protocol=PROTOCOL)
        self.files: set[str] = set()
        self.modules: set[str] = set()

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, CodeType):
            rebuild, parts = internals._code_reduce(obj)  # noqa: SLF001
            return _code_of_file, (obj.co_filename, rebuild, parts)
        if isinstance(obj, ModuleType):
            self.modules.add(obj.__name__)
        elif isinstance(obj, type | FunctionType):
            module = getattr(obj, "__module__", None)
            if isinstance(module, str):
                self.modules.add(module)
            if isinstance(obj, FunctionType) and travels_by_value(obj):
                self.files.add(obj.__code__.co_filename)
        return _keeping_known_classes(super().reducer_override(obj))


class _ValuePickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Replaces a class by its identity and a definition that is used only where it is unknown."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, protocol=PROTOCOL)

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, type) and travels_by_value(obj):
            definition = definition_of(obj)
            identity = internals._get_or_create_tracker_id(obj)  # noqa: SLF001
            return _known_class, (identity, definition.data)
        return super().reducer_override(obj)


def _code_of_file(
    filename: str, rebuild: Callable[..., CodeType], parts: tuple[Any, ...]
) -> CodeType:
    """Rebuild code with the name of its file, which cloudpickle may leave out: tracebacks show it."""
    return rebuild(*parts).replace(co_filename=filename)


def _keeping_known_classes(reduced: Any) -> Any:
    """Exchange the function that fills in a class, in what cloudpickle says how to rebuild one."""
    setter = internals._class_setstate  # noqa: SLF001
    if isinstance(reduced, tuple) and len(reduced) == 6 and reduced[5] is setter:
        return (*reduced[:5], _complete_class)
    return reduced


@lru_cache(maxsize=256)
def _known_class(identity: str, definition: bytes) -> type:
    known: type | None = internals._DYNAMIC_CLASS_TRACKER_BY_ID.get(identity)  # noqa: SLF001
    return pickle.loads(definition) if known is None else known


def _complete_class(cls: type, state: tuple[dict[str, Any], Any]) -> type:
    """Fill in a class, unless it has all of its attributes already."""
    if state[0].keys() <= vars(cls).keys():
        return cls
    return internals._class_setstate(cls, state)  # type: ignore[no-any-return]  # noqa: SLF001
