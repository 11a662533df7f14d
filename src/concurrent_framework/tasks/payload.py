"""User data as bytes: states of tasks, results, and the attributes a task changed.

Only applications, system hosts and executors use this; to masters and workers payloads are opaque.
Plain pickle does it wherever it can. What it cannot do, or what belongs to ``__main__`` (which is
another module elsewhere), is pickled by value.
"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any, Final, TypeVar

from concurrent_framework.model.errors import NotSerializable
from concurrent_framework.model.outcome import Failure
from concurrent_framework.tasks.state import attributes, form_of, rebuild

if TYPE_CHECKING:
    from collections.abc import Mapping

PROTOCOL = 5
_MAIN = b"__main__"
_STACK_GLOBAL = 0x93
"""The opcode by which pickles refer to modules. To look for a byte first costs next to nothing."""
_PLAIN = frozenset({bytes, bytearray, str})
_LARGE = 64 * 1024
_MISSING: Final = object()

NOTHING: Final = pickle.dumps(None, PROTOCOL)
"""The result of a task that returns nothing."""

T = TypeVar("T")
Buffer = bytes | bytearray | memoryview


def dump_state(instance: Any) -> bytes:
    """Pickle the state of a task or task system; its class travels separately.

    Raises:
        NotSerializable: naming the attribute that cannot be pickled.

    """
    form = form_of(type(instance))
    try:
        if form == "dict":
            state: Any = instance.__dict__
        else:
            state = instance if form == "whole" else instance.__getstate__()
    except Exception:  # noqa: BLE001 (user code runs here; the next attempt is thorough)
        return _dump_state_by_value(instance)
    data = _dump_by_name(state)
    if data is not None:
        return data
    return _dump_state_by_value(instance)


def load_task(cls: type[T], payload: Buffer) -> T:
    """Rebuild a task or task system of a class from what `dump_state` made of it.

    Raises whatever the class's own ``__setstate__``, or the import of what the state refers to,
    raises.
    """
    state = pickle.loads(payload)
    known: Any = cls
    if isinstance(state, known) or form_of(known) == "whole":
        return state  # type: ignore[no-any-return]
    return rebuild(known, state)  # type: ignore[no-any-return]


def dump_result(value: object) -> bytes:
    """Pickle what a task returned.

    Raises:
        NotSerializable: naming the part of it that cannot be pickled.

    """
    data = _dump_by_name(value)
    if data is not None:
        return data
    hint = "return plain data instead, such as a list"
    return _dump_by_value(value, {"it": value}, "the result cannot be sent back", hint)


def dump_value(value: object) -> bytes:
    """Pickle anything, by value what cannot be found by its name elsewhere; raises anything."""
    data = _dump_by_name(value)
    if data is not None:
        return data
    from concurrent_framework.code import by_value  # imports cloudpickle, which is slow

    return by_value.dumps(value)


def is_plain(value: object) -> bool:
    """Whether a value surely holds nothing that belongs to ``__main__``: searching takes longer."""
    if type(value) in _PLAIN:
        return True
    kind = type(value)
    return kind.__name__ == "ndarray" and kind.__module__ == "numpy" and not value.dtype.hasobject  # type: ignore[attr-defined]


def dump_items(items: list[Any], first: int, what: str) -> bytes:
    """Pickle some items of something large.

    Args:
        items: the items.
        first: index of the first.
        what: what they belong to, for the message.

    Raises:
        NotSerializable: naming the item that cannot be pickled.

    """
    data = _dump_by_name(items)
    if data is not None:
        return data
    parts = {f"item {first + place}": item for place, item in enumerate(items)}
    hint = "let the function make it where it runs"
    return _dump_by_value(items, parts, f"the items of {what} cannot be sent", hint)


def dump_shared(value: object) -> bytes:
    """Pickle an object that is to be shared, thoroughly.

    Raises:
        NotSerializable: naming the part of it that cannot be pickled.

    """
    hint = "share plain data instead"
    return _dump_by_value(value, {"it": value}, "the object cannot be shared", hint)


def load_result(payload: Buffer) -> Any:
    """Return what was given to `dump_result`.

    Raises:
        NotSerializable: if it cannot be rebuilt here, for instance because a module is missing.

    """
    try:
        return pickle.loads(payload)
    except Exception as error:
        message = f"the result cannot be rebuilt here: {type(error).__name__}: {error}"
        raise not_serializable(message) from error


def dump_checkpoint(state: object) -> bytes:
    """Pickle what a running task wants to go on from.

    Raises:
        NotSerializable: naming the part of it that cannot be pickled.

    """
    data = _dump_by_name(state)
    if data is not None:
        return data
    hint = "keep plain data, and make the rest anew when the task goes on"
    return _dump_by_value(state, {"state": state}, "the checkpoint cannot be kept", hint)


def load_checkpoint(state: Buffer) -> Any:
    """Return what was given to `dump_checkpoint`.

    Raises:
        NotSerializable: if it cannot be rebuilt here, for instance because a module is missing.

    """
    try:
        return pickle.loads(state)
    except Exception as error:
        message = f"the checkpoint cannot be rebuilt here: {type(error).__name__}: {error}"
        raise not_serializable(message) from error


def dump_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> bytes:
    """Pickle what happened to a task's attributes: which were bound anew, which were deleted.

    Args:
        before: a copy of `attributes` from before the task ran.
        after: its `attributes` now.

    Returns:
        Nothing (empty bytes) if no attribute was bound to another object. What happened inside
        an object that an attribute refers to does not count.

    Raises:
        NotSerializable: naming the attribute that cannot be pickled.

    """
    changes = changes_between(before, after)
    if not changes:
        return b""
    try:
        data = pickle.dumps(changes, PROTOCOL)
        if _STACK_GLOBAL not in data or _MAIN not in data:
            return data
    except Exception:  # noqa: BLE001, S110 (user code runs here; the next attempt is thorough)
        pass
    parts = {f"attribute {name}": value for name, value in changes.items()}
    hint = "delete it in clean_up"
    return _dump_by_value(changes, parts, "what the task changed cannot be sent back", hint)


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str | None, Any]:
    """Return which attributes were bound anew, and under None the names of those deleted."""
    changes: dict[str | None, Any] = {
        name: value for name, value in after.items() if before.get(name, _MISSING) is not value
    }
    if not changes and len(before) == len(after):
        return changes
    deleted = before.keys() - after.keys()
    if deleted:
        changes[None] = tuple(sorted(deleted))
    return changes


def apply_changes(task: object, changes: Buffer) -> None:
    """Do to a task's attributes what `dump_changes` noted; empty bytes mean nothing.

    Raises:
        NotSerializable: if they cannot be rebuilt here; the task is unchanged then.

    """
    if not changes:
        return
    try:
        bound: dict[str | None, Any] = pickle.loads(changes)
    except Exception as error:
        message = f"what {task!r} changed cannot be rebuilt here: {type(error).__name__}: {error}"
        raise not_serializable(message) from error
    for name in bound.pop(None, ()):
        if name in attributes(task):
            object.__delattr__(task, name)
    for name, value in bound.items():
        object.__setattr__(task, str(name), value)


def not_serializable(message: str) -> NotSerializable:
    """Build the error for something that cannot travel."""
    return NotSerializable(Failure("not_serializable", "NotSerializable", message))


def _dump_by_name(value: object) -> bytes | None:
    """Pickle what can be found by its name elsewhere; None if it takes the thorough way."""
    try:
        data = pickle.dumps(value, PROTOCOL)
    except Exception:  # noqa: BLE001 (user code runs here; the next attempt is thorough)
        return None
    if _STACK_GLOBAL not in data or (len(data) > _LARGE and is_plain(value)) or _MAIN not in data:
        return data
    return None


def _dump_state_by_value(instance: Any) -> bytes:
    form = form_of(type(instance))
    name = getattr(instance, "name", "")
    label = f"{type(instance).__name__} {name!r}" if name else type(instance).__name__
    if form == "state":
        try:
            state = instance.__getstate__()
        except Exception as error:
            message = f"{label} cannot be sent: __getstate__ raised {type(error).__name__}: {error}"
            raise not_serializable(message) from error
    else:
        state = instance if form == "whole" else instance.__dict__
    hint = "make it in __call__, or leave it out in __getstate__"
    return _dump_by_value(state, _state_parts(instance, state), f"{label} cannot be sent", hint)


def _state_parts(instance: object, state: Any) -> dict[str, object]:
    """Return what to search for a culprit, by the words that name it."""
    halves = state if isinstance(state, tuple) else (state,)
    found = {
        f"attribute {name}": value
        for half in halves
        if isinstance(half, dict) and half is not instance
        for name, value in half.items()
    }
    return found or {f"attribute {name}": part for name, part in attributes(instance).items()}


def _dump_by_value(value: object, parts: Mapping[str, object], problem: str, hint: str) -> bytes:
    from concurrent_framework.code import by_value  # imports cloudpickle, which is slow

    try:
        return by_value.dumps(value)
    except Exception as error:
        from concurrent_framework.tasks.culprit import accuse

        message = f"{problem}: {accuse(parts, error)}; {hint}"
        raise not_serializable(message) from error
