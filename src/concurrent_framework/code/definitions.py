"""Definitions of classes that travel by value, remembered for one run of an application."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple


class Definition(NamedTuple):
    """A class by value.

    Args:
        data: its pickle.
        files: names of the source files of the functions in it.
        modules: names of the modules its parts come from.

    """

    data: bytes
    files: frozenset[str]
    modules: frozenset[str]


@lru_cache(maxsize=256)
def definition_of(cls: type) -> Definition:
    """Pickle a class by value, once in a run; raises whatever its parts raise."""
    from concurrent_framework.code.by_value import define  # imports cloudpickle, which is slow

    return define(cls)


def start_run() -> None:
    """Forget what was remembered: between runs, a notebook's functions and globals change."""
    definition_of.cache_clear()
