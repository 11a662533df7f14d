"""Which methods can take the calls that an interface describes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from concurrent_framework.components import Component, Interface, implements
from concurrent_framework.model.errors import UsageError

Method = Callable[..., Any]


class IPlace(Interface):
    def rate(self, task: str, load: float = 0.0, *, hint: str = "") -> float:
        """Take two positional arguments, one of them optional, and a keyword."""


class IPositional(Interface):
    def rate(self, task: str, /) -> float:
        """Take an argument whose name is nobody's business."""


class IAny(Interface):
    def rate(self, *args: int, **options: int) -> float:
        """Take anything."""


class IAsync(Interface):
    async def rate(self) -> float:
        """Be awaited."""


def component(interface: type, method: object) -> type:
    def body() -> type:
        class Impl(Component):
            implements(interface)
            rate = method

        return Impl

    return body()


def wrapped(self: Any, task: Any, load: Any = 0, *, hint: Any = "") -> float:
    return 0.0


@functools.wraps(wrapped)
def wrapper(*args: Any, **options: Any) -> float:
    return wrapped(*args, **options)


FITS: list[tuple[type, object]] = [
    (IPlace, lambda self, task, load=0, *, hint="": 0),
    (IPlace, lambda self, task, load=0, hint="": 0),
    (IPlace, lambda self, task, load=0, more=1, *, hint="", also=2: 0),
    (IPlace, lambda self, *args, **options: 0),
    (IPlace, lambda self, task, *args, **options: 0),
    (IPlace, lambda *args, **options: 0),
    (IPlace, wrapper),
    (IPlace, staticmethod(lambda task, load=0, *, hint="": 0)),
    (IPlace, classmethod(lambda cls, task, load=0, *, hint="": 0)),
    (IPlace, functools.partial(lambda self, task, load=0, *, hint="": 0)),
    (IPositional, lambda self, anything: 0),
    (IPositional, lambda self, x=1, /: 0),
    (IAny, lambda self, *a, **k: 0),
]

FAILS: list[tuple[type, object, str]] = [
    (IPlace, lambda self, task, *, hint="": 0, "does not take 'load'"),
    (IPlace, lambda self: 0, "does not take 'task' and 'load'; does not take 'hint'"),
    (IPlace, lambda self, task, load=0: 0, "does not take 'hint'"),
    (IPlace, lambda self, job, load=0, *, hint="": 0, "calls 'task' 'job'"),
    (IPlace, lambda self, task, load, *, hint="": 0, "demands 'load', which callers need not give"),
    (IPlace, lambda self, task, load=0, *, hint="", x: 0, "demands 'x'"),
    (IPlace, lambda self, task, load=0, *, hint: 0, "demands 'hint'"),
    (IPlace, lambda task, load=0, *, hint="": 0, "does not take 'load'"),
    (IPlace, lambda: 0, "does not take 'self'"),
    (IPlace, staticmethod(lambda self, task, load=0, *, hint="": 0), "calls 'task' 'self'"),
    (IPlace, 3, "rate is no method"),
    (IPositional, lambda self, a, b: 0, "demands 'b'"),
    (IAny, lambda self, x: 0, "does not take *args"),
    (IAny, lambda self, *args: 0, "does not take **kwargs"),
]


@pytest.mark.parametrize(("interface", "method"), FITS)
def test_a_method_that_takes_every_call_fits(interface: type, method: object) -> None:
    component(interface, method)


@pytest.mark.parametrize(("interface", "method", "reason"), FAILS)
def test_a_method_that_cannot_take_a_call_is_refused(
    interface: type, method: object, reason: str
) -> None:
    with pytest.raises(UsageError) as caught:
        component(interface, method)
    assert reason in str(caught.value)


def test_the_message_shows_both_signatures() -> None:
    def rate(self: Any, job: Any, /, *args: Any, flag: Any, **options: Any) -> None: ...

    with pytest.raises(UsageError) as caught:
        component(IPlace, rate)
    assert "rate(job, /, *args, flag, **kwargs) does not fit" in str(caught.value)
    assert "IPlace.rate(task, load=…, *, hint=…)" in str(caught.value)


def test_a_coroutine_fits_only_where_it_is_awaited() -> None:
    async def rate(self: Any, task: Any = 1, load: Any = 0, *, hint: Any = "") -> float:
        return 0.0

    component(IAsync, rate)
    component(IAsync, lambda self: 0)  # it may return something that can be awaited
    with pytest.raises(UsageError, match="is async, but is called without await"):
        component(IPlace, rate)
