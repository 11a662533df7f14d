"""How the objects of a class are taken apart and rebuilt, when the class travels separately."""

from __future__ import annotations

import copyreg
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

Form = Literal["dict", "state", "whole"]
"""What travels of an object: its ``__dict__``, what ``__getstate__`` says, or the whole object."""


def _find_form(cls: Any) -> Form:
    plain: Any = object
    if (
        cls.__reduce__ is not plain.__reduce__
        or cls.__reduce_ex__ is not plain.__reduce_ex__
        or cls in copyreg.dispatch_table
        or hasattr(cls, "__getnewargs__")
        or hasattr(cls, "__getnewargs_ex__")
        or issubclass(cls, dict | list)
    ):
        return "whole"
    if (
        cls.__getstate__ is not plain.__getstate__
        or hasattr(cls, "__setstate__")
        or slots_of(cls)
        or not cls.__dictoffset__
    ):
        return "state"
    return "dict"


def _find_slots(cls: type) -> tuple[str, ...]:
    names = copyreg._slotnames(cls)  # type: ignore[attr-defined]  # noqa: SLF001 (undoes mangling)
    return tuple(names)


form_of: Callable[[type], Form] = lru_cache(maxsize=4096)(_find_form)
"""What travels of the objects of a class; both ends come to the same answer."""

slots_of: Callable[[type], tuple[str, ...]] = lru_cache(maxsize=4096)(_find_slots)
"""The names of a class's slots, those of its bases included."""


def rebuild(cls: Any, state: Any) -> Any:
    """Make an object of a class whose form is ``dict`` or ``state``, without its ``__init__``."""
    instance = cls.__new__(cls)
    if form_of(cls) == "dict":
        instance.__dict__.update(state)
        return instance
    if state is None:
        return instance
    set_state = getattr(instance, "__setstate__", None)
    if set_state is not None:
        set_state(state)
        return instance
    attributes, slots = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
    if attributes:
        instance.__dict__.update(attributes)
    for name, value in (slots or {}).items():
        object.__setattr__(instance, name, value)
    return instance


def attributes(instance: Any) -> dict[str, Any]:
    """Return an object's attributes by name: its ``__dict__`` itself, joined by slots if any."""
    slots = slots_of(type(instance))
    if not slots:
        named: dict[str, Any] = instance.__dict__
        return named
    values = dict(getattr(instance, "__dict__", {}))
    values.update((name, getattr(instance, name)) for name in slots if hasattr(instance, name))
    return values
