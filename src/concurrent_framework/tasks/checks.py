"""What a setting of a task may be, and the words for one that cannot."""

from __future__ import annotations

from typing import NoReturn

from concurrent_framework.model.errors import UsageError


def is_int(value: object) -> bool:
    """Whether a value is a whole number; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Whether a value is a number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def refuse(cls: type, attribute: str, value: object, expected: str) -> NoReturn:
    """Raise the `UsageError` for a setting of a class that cannot be what it is."""
    message = f"{cls.__name__}.{attribute} is {value!r}; it must be {expected}"
    raise UsageError(message)
