"""Imports point downward, and the pure cores stay pure."""

from __future__ import annotations

from fnmatch import fnmatch

import pytest

from tests.architecture.source import (
    PACKAGE,
    Import,
    imports_of,
    module_of,
    ours,
    package_of,
    short,
    source_files,
)

LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"model"}),
    frozenset({"protocol"}),
    frozenset(
        {
            "code",
            "components",
            "config",
            "sandbox",
            "security",
            "stats",
            "store",
            "tasks",
            "transport",
        }
    ),
    frozenset({"managers", "scheduling"}),
    frozenset({"application", "master", "worker"}),
    frozenset({"launch", "testing"}),
    frozenset({"api", "cli", "dashboard", "environment", "interfaces", "rehearsal", "samples"}),
)
"""From the bottom up. A package imports its own layer and those below."""

FORKING = frozenset({"forkserver", "lifeline", "template", "wire"})
"""Modules of `launch` that only start processes and know no node: they are at the bottom, too."""

STRANGERS = frozenset({"application", "master", "worker"})
"""These never import each other: what they have in common is the protocol."""

PURE = (
    "model/*",
    "protocol/*",
    "rehearsal/figures.py",
    "rehearsal/stage.py",
    "rehearsal/worker.py",
    "rehearsal/workload.py",
    "scheduling/*",
    "application/session.py",
    "application/events.py",
    "application/commands.py",
    "application/outbox.py",
    "managers/pool.py",
    "master/*",
    "worker/commands.py",
    "worker/data.py",
    "worker/events.py",
    "worker/reactor.py",
)
"""Files that take time, randomness and messages as arguments and return what is to be done."""

SHELLS = (
    "master/gauge.py",
    "master/hosts.py",
    "master/keeping.py",
    "master/line.py",
    "master/node.py",
    "master/recorder.py",
)
"""The exceptions in there: files that do the I/O around a core."""

IMPURE_MODULES = frozenset(
    {
        "asyncio",
        "logging",
        "multiprocessing",
        "random",
        "selectors",
        "socket",
        "subprocess",
        "threading",
        "time",
        "zmq",
    }
)
IMPURE_PACKAGES = frozenset({"launch", "store", "transport"})


def rank(module: str) -> int:
    package = package_of(module)
    if package == "launch" and module.split(".")[2:3] and module.split(".")[2] in FORKING:
        return rank(f"{PACKAGE}.transport")
    for number, layer in enumerate(LAYERS):
        if package in layer:
            return number
    pytest.fail(f"the package {package!r} has no layer: give it one in {__name__}")


def is_pure(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in PURE) and name not in SHELLS


def complaint(name: str, one: Import, why: str) -> str:
    return f"{name}:{one.line} imports {one.module}: {why}"


def test_imports_point_downward() -> None:
    wrong = []
    for path in source_files():
        module = module_of(path)
        if not package_of(module) or short(path) == "__main__.py":
            continue
        wrong += [
            complaint(short(path), one, f"{package_of(one.module)} is above {package_of(module)}")
            for one in ours(path)
            if package_of(one.module) and rank(one.module) > rank(module)
        ]
    assert not wrong, "\n".join(wrong)


def test_application_master_and_worker_do_not_know_each_other() -> None:
    wrong = [
        complaint(short(path), one, "they share only the protocol")
        for path in source_files()
        for one in ours(path)
        if {package_of(module_of(path)), package_of(one.module)} <= STRANGERS
        and package_of(module_of(path)) != package_of(one.module)
    ]
    assert not wrong, "\n".join(wrong)


def test_only_what_users_see_is_built_on_the_public_api() -> None:
    """The root package is a facade: whoever is below it imports from where a thing is."""
    wrong = [
        complaint(short(path), one, "import from the module that defines it")
        for path in source_files()
        for one in ours(path)
        if one.module == PACKAGE
        and package_of(module_of(path))
        and rank(module_of(path)) < len(LAYERS) - 1
        and not one.typing_only
    ]
    assert not wrong, "\n".join(wrong)


def test_pure_files_do_no_io() -> None:
    wrong = []
    for path in source_files():
        if not is_pure(short(path)):
            continue
        for one in imports_of(path):
            if one.typing_only:
                continue
            if one.module.split(".")[0] in IMPURE_MODULES:
                wrong.append(complaint(short(path), one, "a pure file gets it as an argument"))
            elif one.module.startswith(PACKAGE) and package_of(one.module) in IMPURE_PACKAGES:
                wrong.append(complaint(short(path), one, "only shells do I/O"))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("pattern", PURE + SHELLS)
def test_each_pattern_matches_something(pattern: str) -> None:
    assert any(fnmatch(short(path), pattern) for path in source_files()), (
        f"{pattern} matches no file: was it moved? Then move its rule too"
    )
