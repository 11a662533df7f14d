"""Concurrent distributes the logic of a whole application onto a swarm of clusters.

Everything a program needs is imported from here; each name is loaded when it is first used, so that
importing the package costs next to nothing.

Example:
    >>> from concurrent_framework import ApplicationNode, IApp, Task, implements

"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent_framework.application.arrays import TaskArray
    from concurrent_framework.application.node import ApplicationNode
    from concurrent_framework.application.receipt import PushReceipt
    from concurrent_framework.application.system import ITaskSystem, SystemMaster, TaskSystem
    from concurrent_framework.application.systems.farm import Farm
    from concurrent_framework.application.systems.graph import TaskGraph
    from concurrent_framework.application.systems.mapreduce import MapReduce
    from concurrent_framework.application.systems.search import Search
    from concurrent_framework.components import (
        Component,
        ExtensionPoint,
        IApp,
        Interface,
        implements,
    )
    from concurrent_framework.config import Option
    from concurrent_framework.launch.run import LocalCluster, run
    from concurrent_framework.model.errors import (
        ConcurrentError,
        MasterNotFoundError,
        NotSerializable,
        RefusedError,
        ResourceExceeded,
        TaskCancelled,
        TaskError,
        TaskFailed,
        TaskTimeout,
        UsageError,
        WorkerLost,
    )
    from concurrent_framework.model.resources import Resources
    from concurrent_framework.tasks.current import current_task
    from concurrent_framework.tasks.decorator import task
    from concurrent_framework.tasks.shared import Shared
    from concurrent_framework.tasks.task import Task

__version__ = "0.2.0"

_HOME = {
    "ApplicationNode": "application.node",
    "TaskArray": "application.arrays",
    "PushReceipt": "application.receipt",
    "ITaskSystem": "application.system",
    "SystemMaster": "application.system",
    "TaskSystem": "application.system",
    "Farm": "application.systems.farm",
    "TaskGraph": "application.systems.graph",
    "MapReduce": "application.systems.mapreduce",
    "Search": "application.systems.search",
    "Component": "components",
    "ExtensionPoint": "components",
    "IApp": "components",
    "Interface": "components",
    "implements": "components",
    "Option": "config",
    "LocalCluster": "launch.run",
    "run": "launch.run",
    "ConcurrentError": "model.errors",
    "MasterNotFoundError": "model.errors",
    "NotSerializable": "model.errors",
    "RefusedError": "model.errors",
    "ResourceExceeded": "model.errors",
    "TaskCancelled": "model.errors",
    "TaskError": "model.errors",
    "TaskFailed": "model.errors",
    "TaskTimeout": "model.errors",
    "UsageError": "model.errors",
    "WorkerLost": "model.errors",
    "Resources": "model.resources",
    "current_task": "tasks.current",
    "task": "tasks.decorator",
    "Shared": "tasks.shared",
    "Task": "tasks.task",
}

__all__ = [  # noqa: RUF022 (grouped as in the reference)
    "ApplicationNode",
    "Task",
    "task",
    "current_task",
    "Resources",
    "Shared",
    "run",
    "LocalCluster",
    "PushReceipt",
    "TaskArray",
    "ITaskSystem",
    "TaskSystem",
    "SystemMaster",
    "Farm",
    "MapReduce",
    "TaskGraph",
    "Search",
    "IApp",
    "Interface",
    "Component",
    "ExtensionPoint",
    "implements",
    "Option",
    "ConcurrentError",
    "UsageError",
    "MasterNotFoundError",
    "RefusedError",
    "TaskError",
    "TaskFailed",
    "WorkerLost",
    "TaskTimeout",
    "TaskCancelled",
    "ResourceExceeded",
    "NotSerializable",
]


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
