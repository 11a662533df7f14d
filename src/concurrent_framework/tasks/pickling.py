"""`IPickler`: what turns tasks' states and results into bytes, where plain pickle is not enough.

What another pickler makes is wrapped in a pickle that names the pickler's class. Whoever receives it
unpickles as always and needs to know nothing; plain payloads take the same way as ever.
"""

from __future__ import annotations

import io
import pickle
import zlib
from functools import lru_cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from concurrent_framework.components import Component, Interface, implements
from concurrent_framework.components.interface import full_name
from concurrent_framework.model.errors import TaskError, UsageError
from concurrent_framework.tasks.payload import (
    changes_between,
    dump_result,
    dump_state,
    dump_value,
    not_serializable,
)
from concurrent_framework.tasks.state import form_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from concurrent_framework.tasks.payload import Buffer

_UNFRAMED = 3
"""The newest protocol whose pickles begin with what they are made of."""


class IPickler(Interface):
    """Turns values into bytes and back, in applications, system hosts and executors alike.

    Its package must be installed on all machines. `loads` must not depend on options: workers
    make the pickler without any configuration.
    """

    def dumps(self, value: object) -> bytes:
        """Return the bytes of a value; raises anything if it cannot."""

    def loads(self, data: bytes) -> Any:
        """Return the value of bytes that `dumps` has made."""


class PlainPickler(Component):
    """Python's pickle, and cloudpickle for what that cannot do."""

    implements(IPickler)
    name = "pickle"

    def dumps(self, value: object) -> bytes:
        """Return a value's pickle."""
        return dump_value(value)

    def loads(self, data: bytes) -> Any:
        """Return the value."""
        return pickle.loads(data)


class CompressedPickler(Component):
    """The same, compressed: for large states and results on slow connections."""

    implements(IPickler)
    name = "compressed"

    def dumps(self, value: object) -> bytes:
        """Return a value's pickle, compressed fast."""
        return zlib.compress(dump_value(value), 1)

    def loads(self, data: bytes) -> Any:
        """Return the value."""
        return pickle.loads(zlib.decompress(data))


class _Wrapped:
    def __init__(self, target: str, data: bytes) -> None:
        self._call = (unwrap, (target, data))

    def __reduce__(self) -> tuple[Any, ...]:
        return self._call


def wrap(pickler: IPickler, value: object) -> bytes:
    """Return a payload that a pickler has made of a value; raises whatever the pickler raises."""
    target = full_name(type(pickler))
    return pickle.dumps(_Wrapped(target, pickler.dumps(value)), _UNFRAMED)


def unwrap(target: str, data: bytes) -> Any:
    """Return the value in a wrapped payload; unpickling it calls this.

    Raises:
        UsageError: if the pickler is not installed here.
        Exception: whatever it raises.

    """
    return _pickler_at(target).loads(data)


_PREFIX = pickle.dumps(_Wrapped("", b""), _UNFRAMED).partition(b"unwrap")[0]


def pickler_of(payload: Buffer) -> IPickler | None:
    """Return the pickler that has made a payload, None for plain pickle; raises as `unwrap`."""
    if bytes(payload[: len(_PREFIX)]) != _PREFIX:
        return None
    target: str = _Peeking(io.BytesIO(payload)).load()
    return _pickler_at(target)


class _Peeking(pickle.Unpickler):
    """Reads which pickler has made a payload, and calls nothing."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what takes the place of `unwrap`."""
        del module, name
        return lambda target, _data: target


@lru_cache(maxsize=64)
def _pickler_at(target: str) -> IPickler:
    module, _, qualname = target.partition(":")
    try:
        found: Any = import_module(module)
        for part in qualname.split("."):
            found = getattr(found, part)
        return cast(IPickler, found())
    except (ImportError, AttributeError) as error:
        message = f"the pickler {target} is needed here and cannot be had: {error}; install it"
        raise UsageError(message) from error


def dump_state_by(pickler: IPickler, instance: Any) -> bytes:
    """Do what `payload.dump_state` does, with a pickler."""
    form = form_of(type(instance))
    label = f"{type(instance).__name__} {getattr(instance, 'name', '')!r}"
    try:
        if form == "dict":
            state = instance.__dict__
        else:
            state = instance if form == "whole" else instance.__getstate__()
        return wrap(pickler, state)
    except Exception as error:
        raise _refused(pickler, f"{label} cannot be sent", error) from error


def dump_result_by(pickler: IPickler, value: object) -> bytes:
    """Do what `payload.dump_result` does, with a pickler."""
    try:
        return wrap(pickler, value)
    except Exception as error:
        raise _refused(pickler, "the result cannot be sent back", error) from error


def dump_changes_by(
    pickler: IPickler, before: Mapping[str, Any], after: Mapping[str, Any]
) -> bytes:
    """Do what `payload.dump_changes` does, with a pickler."""
    changes = changes_between(before, after)
    if not changes:
        return b""
    try:
        return wrap(pickler, changes)
    except Exception as error:
        raise _refused(pickler, "what the task changed cannot be sent back", error) from error


def state_dumper(payload: Buffer) -> Callable[[Any], bytes]:
    """Return what pickles states as that of a payload was; plain pickle takes no detour."""
    pickler = pickler_of(payload)
    return dump_state if pickler is None else partial(dump_state_by, pickler)


def result_dumper(payload: Buffer) -> Callable[[object], bytes]:
    """Return what pickles results as the state in a payload was."""
    pickler = pickler_of(payload)
    return dump_result if pickler is None else partial(dump_result_by, pickler)


def _refused(pickler: IPickler, what: str, error: Exception) -> TaskError:
    if isinstance(error, TaskError):
        return error
    name = getattr(pickler, "name", full_name(type(pickler)))
    return not_serializable(f"{what}: the pickler {name!r} raised {type(error).__name__}: {error}")
